"""Count the modules, imports, floors and circles of a package, read from its syntax trees.

    python -m benchmarks.imports [--root CHECKOUT] [--package cut]

Deferred imports and those under `TYPE_CHECKING` count. A floor is a place in the longest chain of
imports, where modules that import each other share one. Folders are counted in the same way, and an
import points up when its folder stands below the folder that it imports from in LAYERS.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping
from pathlib import Path

# From the top floor down; folders of one line import nothing from each other.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"report", "plan", "apply"},
    {"results"},
    {"metrics"},
    {"training"},
    {"methods"},
    {"data", "nets"},
    {"records"},
    {"base"},
]

Graph = dict[str, set[str]]


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a module's file."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, module: str) -> set[str]:
    """Return all that a module imports, also inside functions and under TYPE_CHECKING."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = module.split(".")[: -node.level] if node.level else []
            start = ".".join([*home, *([node.module] if node.module else [])])
            # `from cut.base import errors` imports cut.base.errors.
            names |= {start, *(f"{start}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return names


def import_graph(root: Path, package: str) -> Graph:
    """Return {module: modules of the package that it imports}, both dotted."""
    files = {module_name(path, root): path for path in sorted((root / package).rglob("*.py"))}
    graph: Graph = {}
    for name, path in files.items():
        found = imports_of(path.read_text(encoding="utf-8"), name) & set(files) - {name}
        # A package counts where none of its modules is imported.
        graph[name] = {f for f in found if not any(o.startswith(f"{f}.") for o in found)}
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the sets of modules that reach each other."""
    reached = {name: _reachable(graph, name) for name in graph}
    found: list[set[str]] = []
    for name in graph:
        circle = {other for other in reached[name] if name in reached[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph.get(name, ())
    return seen


def floors(graph: Mapping[str, set[str]]) -> int:
    """Return the length of the longest chain of imports; a circle counts as one module."""
    group = {name: name for name in graph}
    for circle in circles(graph):
        group |= dict.fromkeys(circle, min(circle))
    merged: Graph = {}
    for name, targets in graph.items():
        merged.setdefault(group[name], set()).update(group[target] for target in targets)
    heights: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in heights:
            below = merged[name] - {name}
            heights[name] = 1 + max(map(height, below), default=0)
        return heights[name]

    return max(map(height, merged), default=0)


def folder_graph(graph: Mapping[str, set[str]]) -> Graph:
    """Return the imports between the folders (or files) that stand directly in the package."""
    found: Graph = {}
    for name, targets in graph.items():
        mine = _folder(name)
        found.setdefault(mine, set()).update({_folder(t) for t in targets} - {mine})
    return found


def _folder(module: str) -> str:
    return (module.split(".") + [""])[1] or module


def upward(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Return the imports (from, to) that do not point to a lower floor of LAYERS.

    An import within one folder is no matter of floors, and the package's own `__init__` is open to
    all.
    """
    place = {folder: k for k, layer in enumerate(LAYERS) for folder in layer}
    found = []
    for name, targets in graph.items():
        for target in targets:
            mine, theirs = _folder(name), _folder(target)
            if mine == theirs or target == name.split(".")[0]:
                continue
            if mine not in place or theirs not in place or place[theirs] <= place[mine]:
                found.append((name, target))
    return sorted(found)


def _counts(graph: Graph) -> str:
    imports = sum(map(len, graph.values()))
    return f"{imports} imports, {floors(graph)} floors, {len(circles(graph))} circles"


def main() -> None:
    """Print the counts, then each circle and each upward import."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--package", default="cut")
    args = parser.parse_args()
    graph = import_graph(args.root, args.package)
    inner = folder_graph(graph)
    lines = sum(len(p.read_text().splitlines()) for p in (args.root / args.package).rglob("*.py"))
    print(f"{len(graph)} modules of {lines} lines: {_counts(graph)}")
    print(f"{len(inner)} folders or files at the top: {_counts(inner)}")
    for circle in circles(graph):
        print("circle:", ", ".join(sorted(circle)))
    for name, target in upward(graph) if "base" in inner else ():
        print(f"upward: {name} -> {target}")


if __name__ == "__main__":
    main()
