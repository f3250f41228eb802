"""A digest of the code that decides a method's numbers, so that a change of it trains again.

Of a class it covers the module that defines it and, transitively, the modules of `cut` and
`baselines` that this one imports, found in the syntax trees; for a trained method also the modules
that decide which images a step sees. Modules that make no numbers (logs, records, tables, errors)
are left out. Of a method of commands it covers every file of the folder.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cut.methods.commands import ExternalMethod
from cut.methods.contract import Method

# What decides the images of each step, besides the method.
TRAINING = ("cut.data.held_out", "cut.training.batches", "cut.training.loop")
# Modules and packages that make no numbers, whoever imports them.
WITHOUT_NUMBERS = (
    "cut.base.device",
    "cut.base.environment",
    "cut.base.errors",
    "cut.base.files",
    "cut.base.image_files",
    "cut.base.image_size",
    "cut.base.parallel",
    "cut.cli",
    "cut.methods.code_digest",
    "cut.methods.commands",
    "cut.methods.correspondence",
    "cut.methods.registry",
    "cut.plan",
    "cut.records",
    "cut.report",
    "cut.results",
    "cut.training",
)


def code_digest(method: type[Method]) -> str:
    """Return the sha256 over the names and contents of the files in `code_files`."""
    digest = hashlib.sha256()
    for name, path in code_files(method).items():
        digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def code_files(method: type[Method]) -> dict[str, Path]:
    """Return the files that decide the method's numbers, by name, sorted.

    Names are those of modules; of a method of commands, paths in its folder.
    """
    if issubclass(method, ExternalMethod):
        files = (path for path in method.folder.rglob("*") if path.is_file())
        named = {path.relative_to(method.folder).as_posix(): path for path in files}
        return {k: named[k] for k in sorted(named) if "__pycache__" not in named[k].parts}
    found: dict[str, Path] = {}
    waiting = [method.__module__, *(TRAINING if method.trained else ())]
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name not in found and path is not None:
            found[name] = path
            waiting += [other for other in _imports(name, path) if _makes_numbers(other)]
    return {name: found[name] for name in sorted(found)}


def _makes_numbers(name: str) -> bool:
    return not any(name == other or name.startswith(f"{other}.") for other in WITHOUT_NUMBERS)


def _file(name: str) -> Path | None:
    """Return the file of a module of this project, or None if `name` is none."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # `from cut.nets.losses import lsgan`: lsgan is no module
        return None
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def _imports(name: str, path: Path) -> list[str]:
    """Return the names under `cut` and `baselines` that a module imports, modules or not."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return [n for n in _named(path, package) if n.partition(".")[0] in ("cut", "baselines")]


@cache
def _named(path: Path, package: str) -> tuple[str, ...]:
    names: list[str] = []
    for node in _run_time_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(base, package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            children: list[ast.AST] = [*child.orelse]
            for other in children:
                yield other
                yield from _run_time_nodes(other)
            continue
        yield child
        yield from _run_time_nodes(child)
