"""Find the methods there are, and digest their code."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.fields import FieldInfo

import baselines
from cut.base.errors import UserError, unknown
from cut.base.files import sha256_of

if TYPE_CHECKING:
    pass

from cut.methods import commands
from cut.methods.contract import Method, Options, parse_options


@dataclass
class Registry:
    """What discovery found: classes by name, and the error of each plug-in that didn't import."""

    methods: dict[str, type[Method]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> type[Method]:
        if name in self.methods:
            return self.methods[name]
        if name in self.broken:
            raise UserError(f"method {name!r} does not import: {self.broken[name]}")
        raise UserError(unknown("method", name, list(self.methods)))


def discover() -> Registry:
    """Import `cut.methods.cut` and all of `baselines/`; collect their methods.

    A plug-in that does not import is reported in `broken` and takes no other down.
    """
    registry = Registry()
    names = ["cut.methods.cut"]
    for found in pkgutil.iter_modules(baselines.__path__):
        names.append(f"baselines.{found.name}" + (".method" if found.ispkg else ""))
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - any error of a plug-in is its own
            registry.broken[name.removesuffix(".method").rpartition(".")[2]] = (
                f"{type(error).__name__}: {error}"
            )
            continue
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, Method) and cls.__module__ == name and "name" in vars(cls):
                registry.methods[cls.name] = cls
    _discover_commands(registry)
    return registry


def _discover_commands(registry: Registry) -> None:
    """Add the methods that are a folder of commands, with a `method.yaml` in place of a class."""
    for path in baselines.__path__:
        for file in sorted(Path(path).glob("*/method.yaml")):
            name = file.parent.name
            try:
                registry.methods[name] = commands.load(file.parent)
            except UserError as error:
                registry.broken[name] = str(error)


def code_digest(method: type[Method]) -> str:
    """Return a sha256 over the files that decide the method's numbers."""
    files = method.code_files()
    return sha256_of(*sorted(files, key=lambda file: (file.name, file.as_posix())))


def _bounds(info: FieldInfo) -> str:
    """Return an option's range, as " (>= 1)", or ""."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    parts = [
        f"{sign} {getattr(bound, name):g}"
        for bound in info.metadata
        for name, sign in signs.items()
        if hasattr(bound, name)
    ]
    return f" ({', '.join(parts)})" if parts else ""


def build_method(name: str, options: dict[str, Any], seed: int) -> Method:
    """Build the method `name` with `options` over its defaults.

    Raises:
        UserError: an unknown method, or an option it doesn't have or whose value is out of range.
    """
    cls = discover()[name]
    parsed: Options = parse_options(cls.Options, options, name)
    return cls(parsed, seed)


def show() -> int:
    """Print the methods and their options; return 1 if a plug-in does not import."""
    registry = discover()
    for name, method in sorted(registry.methods.items()):
        where = getattr(method, "folder", None) or inspect.getfile(method)
        print(f"{name}: {method.summary}\n    defined in {where}")
        for option, info in method.Options.model_fields.items():
            default = info.get_default(call_default_factory=True)
            print(f"    {option} = {default!r}{_bounds(info)}: {info.description}")
    for name, error in registry.broken.items():
        print(f"{name}: broken, {error}", file=sys.stderr)
    return 1 if registry.broken else 0
