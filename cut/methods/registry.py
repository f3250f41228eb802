"""Find the methods, build one, and list them.

python -m cut methods            list every method, its options and where it is defined
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

import baselines
from cut.base.errors import UserError, unknown
from cut.base.image_form import DEFAULT, Images
from cut.methods import commands
from cut.methods.channels import check_channels
from cut.methods.contract import Method
from cut.methods.options import parse_options

OWN = "cut.methods.cut"  # the paper's methods


@dataclass
class Registry:
    """What discovery found: classes by name, and the error of each plug-in that has one."""

    methods: dict[str, type[Method]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> type[Method]:
        """Return a method's class.

        Raises:
            UserError: the method is unknown, or its plug-in is broken.
        """
        if name in self.methods:
            return self.methods[name]
        if name in self.broken:
            raise UserError(f"method {name!r} does not import: {self.broken[name]}")
        raise UserError(unknown("method", name, list(self.methods)))

    def register(self, classes: Iterable[type[Method]]) -> None:
        """Add classes, all or none of them.

        Raises:
            UserError: another method has the name of one.
        """
        added: dict[str, type[Method]] = {}
        for cls in classes:
            other = added.get(cls.name, self.methods.get(cls.name))
            if other is not None:
                raise UserError(
                    f"the name {cls.name!r} belongs to a method of {where(other)}; choose another"
                )
            added[cls.name] = cls
        self.methods |= added


def where(method: type[Method]) -> Path:
    """Return the folder or file that defines a method."""
    return getattr(method, "folder", None) or Path(inspect.getfile(method))


def discover() -> Registry:
    """Import the paper's methods and every module and package of `baselines/`; find their classes.

    A plug-in that does not import, or whose name another method has, is reported in `broken`;
    the others are found all the same.
    """
    registry = Registry()
    registry.register(_classes(OWN))
    for found in pkgutil.iter_modules(baselines.__path__):
        try:
            registry.register(_classes(f"baselines.{found.name}"))
        except UserError as error:
            registry.broken[found.name] = str(error)
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
            registry.broken[found.name] = f"{type(error).__name__}: {error}"
    for root in baselines.__path__:
        for file in sorted(Path(root).glob("*/method.yaml")):
            try:
                registry.register([commands.load(file.parent)])
            except UserError as error:
                registry.broken[file.parent.name] = str(error)
    return registry


def _classes(name: str) -> list[type[Method]]:
    """Return the named methods that a module, or any imported module of a package, defines.

    In a package the module `method` is imported too, whether or not `__init__` imports it.
    """
    module = importlib.import_module(name)
    if hasattr(module, "__path__") and importlib.util.find_spec(f"{name}.method"):
        importlib.import_module(f"{name}.method")
    modules = [sys.modules[n] for n in sorted(sys.modules) if n == name or n.startswith(f"{name}.")]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Method)
        and value.__module__ == module.__name__
        and "name" in vars(value)
    ]


def build_method(
    name: str,
    options: dict[str, Any],
    seed: int,
    size: tuple[int, int] | None = None,
    images: Images = DEFAULT,
) -> Method:
    """Build the method `name` with `options` over its defaults.

    Args:
        name: of the method.
        options: over its defaults.
        seed: of every draw.
        size: (height, width) of the training crops.
        images: what the data set's images are.

    Raises:
        UserError: an unknown method, an option that it does not have or whose value is out of
            range, images of other channels than it takes, or, if `size` is given, settings that the
            method refuses.
    """
    cls = discover()[name]
    parsed = parse_options(cls.Options, options, name).of_images(images)
    check_channels(f"method {name}", cls.takes(parsed), images.channels)
    if size is not None:
        cls.check(parsed, size)
    return cls(parsed, seed)


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


def show() -> int:
    """Print the methods and their options; return 1 if a plug-in is broken."""
    registry = discover()
    for name, method in sorted(registry.methods.items()):
        print(f"{name}: {method.summary}\n    defined in {where(method)}")
        for option, info in method.Options.model_fields.items():
            default = info.get_default(call_default_factory=True)
            print(f"    {option} = {default!r}{_bounds(info)}: {info.description}")
    for name, error in registry.broken.items():
        print(f"{name}: broken, {error}", file=sys.stderr)
    return 1 if registry.broken else 0
