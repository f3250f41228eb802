"""Write what each method is, and what it follows, as Markdown for docs/methods.md.

A section of the page is a method's class docstring, its citation and facts from the code: schedule,
options, parameters, lines of code. How far it agrees with its authors' code is read from the table
of docs/parity.md.
"""

from __future__ import annotations

import ast
import inspect
import re
import tokenize
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from pydantic.fields import FieldInfo

from cut.base.errors import UserError
from cut.base.files import read_text, replacing
from cut.methods.code_digest import code_files
from cut.methods.commands import ExternalMethod
from cut.methods.contract import Method
from cut.methods.options import NetworkOptions, Options
from cut.methods.parity import KINDS
from cut.methods.registry import build_method, discover

BEGIN = "## All methods"
# What a paragraph of a docstring begins with, in this order.
LABELS = ("Followed", "Different", "Settings", "Scored", "Passes")
ROOT = Path(__file__).resolve().parents[2]
PARITY = ROOT / "docs" / "parity.md"
ROW = re.compile(rf"^\| `([\w-]+)` \| (\w+\.npz) \|{'([^|]*)[|]' * len(KINDS)}$", flags=re.M)
NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def page() -> str:
    """Return a table of all published methods, and a section for each, as Markdown.

    Raises:
        UserError: there is no docs/parity.md, as in an installed package.
    """
    found = sorted(published().values(), key=_place_on_page)
    errors = recorded_errors()
    counts = {method.name: parameters(method) for method in found}
    table = "\n".join([*_head(), *(_row(m, counts[m.name], errors.get(m.name, {})) for m in found)])
    sections = (_section(m, counts[m.name], errors.get(m.name, {})) for m in found)
    return "\n\n".join([f"{BEGIN}\n\n{table}", *sections]) + "\n"


def write(path: Path) -> None:
    """Replace the part of a page that `page` returns.

    Raises:
        UserError: the page can't be read, or has no such part.
    """
    before, found, _ = read_text(path).partition(BEGIN)
    if not found:
        raise UserError(f"{path} has no line {BEGIN!r}, from which on the page is written")
    with replacing(path) as temporary:
        temporary.write_text(before + page(), encoding="utf-8")


def published() -> dict[str, type[Method]]:
    """Return the methods that have a citation, by name."""
    return {name: method for name, method in discover().methods.items() if method.citation}


def recorded_errors() -> dict[str, dict[str, float]]:
    """Return the largest error of each recording that docs/parity.md lists, by method and file.

    Raises:
        UserError: there is no such page, or it has no table.
    """
    if not PARITY.is_file():
        raise UserError(f"{PARITY} is missing; run this in a checkout of the repository")
    found: dict[str, dict[str, float]] = {}
    for method, file, *errors in ROW.findall(read_text(PARITY)):
        largest = max(float(error) for error in errors if error.strip() != "–")
        found.setdefault(method, {})[file] = largest
    if not found:
        raise UserError(f"{PARITY} has no table of recordings; paste that of `parity --table`")
    return found


def parameters(method: type[Method]) -> dict[str, int]:
    """Return the numbers of trained parameters by network, with the default options.

    Nothing is allocated: the networks are on torch's device without memory.
    """
    if issubclass(method, ExternalMethod):
        return {}
    with torch.device("meta"):
        counts = build_method(method.name, {}, seed=0).parameter_counts()
    return {name: count for name, count in counts.items() if count}


def own_files(method: type[Method]) -> list[Path]:
    """Return the files of a method: its module, or all that it uses of its package or folder."""
    if issubclass(method, ExternalMethod):
        return list(code_files(method).values())
    home = _home(method)
    alone = (home, f"{home}_options")
    files = code_files(method).items()
    return [path for name, path in files if name in alone or name.startswith(f"{home}.")]


def code_lines(path: Path) -> int:
    """Return how many lines of a Python file have code: no comments, docstrings or empty lines."""
    with tokenize.open(path) as file:
        text = file.read()
    lines: set[int] = set()
    for token in tokenize.generate_tokens(iter(text.splitlines(keepends=True)).__next__):
        if token.type not in (*NO_CODE, tokenize.ENDMARKER):
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines.difference_update(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def markdown_of(docstring: str) -> str:
    """Return a docstring as Markdown: its labels in bold, its indented formulas as code."""
    labels = "|".join(LABELS)
    return re.sub(rf"^({labels}): (\w)", _bold, docstring, flags=re.M)


def _bold(match: re.Match[str]) -> str:
    return f"**{match[1]}.** {match[2].upper()}"


def _head() -> list[str]:
    names = ("method", "idea", "agrees to", "parameters", "of these, to translate", "lines of code")
    return [f"| {' | '.join(names)} |", "| --- | --- | ---: | ---: | ---: | ---: |"]


def _row(method: type[Method], counts: dict[str, int], errors: Mapping[str, float]) -> str:
    cells = [
        f"[`{method.name}`](#{method.name})",
        method.summary.partition(": ")[2] or method.summary,
        f"{max(errors.values()):.0e}" if errors else "–",
        f"{sum(counts.values()):,}" if counts else "–",
        f"{_to_translate(method, counts):,}" if counts else "–",
        str(_code_lines(method)),
    ]
    return f"| {' | '.join(cells)} |"


def _section(method: type[Method], counts: dict[str, int], errors: Mapping[str, float]) -> str:
    text = inspect.cleandoc(method.__doc__ or f"{method.summary[0].upper()}{method.summary[1:]}.")
    rows = [f"| {name} | {value} |" for name, value in _facts(method, counts, errors)]
    table = "\n".join([rows[0], "| --- | --- |", *rows[1:]])
    return f"## {method.name}\n\n{markdown_of(text)}\n\n{table}"


def _facts(
    method: type[Method], counts: dict[str, int], errors: Mapping[str, float]
) -> Iterator[tuple[str, str]]:
    """Yield the rows of a method's table."""
    yield "paper", method.citation
    if counts:
        yield "schedule", _schedule(method)
    if options := dict(_own_options(method)):
        yield "options", ", ".join(f"`{name}` {value}" for name, value in options.items())
    if counts:
        if scored := method.scored(method.Options()):
            yield "scored", scored
        yield "parameters", ", ".join(f"{name} {count:,}" for name, count in counts.items())
    if errors:
        yield "agreement", ", ".join(f"{error:.0e} ({file})" for file, error in errors.items())
    elif counts:
        yield "agreement", "not known: there is no recording of its authors' code"
    base = [cls.name for cls in method.__mro__[1:] if "name" in vars(cls)]
    base += sorted(_other_plug_ins(method) - set(base))
    built = f"; built on {', '.join(f'`{name}`' for name in base)}" if base else ""
    if issubclass(method, ExternalMethod):
        yield "runs", "by commands of its own, in `method.yaml`"
    yield "code", f"{_place(method)}, {_code_lines(method)} lines of code{built}"


def _schedule(method: type[Method]) -> str:
    s = method.schedule
    text = f"{s.epochs_constant} + {s.epochs_decay} epochs, batch size {s.batch_size}"
    crops = f", crops of {s.crop_size} pixels" if s.crop_size else ""
    return text + crops + (f", {s.images_per_epoch:,} per epoch" if s.images_per_epoch else "")


def _own_options(method: type[Method]) -> Iterator[tuple[str, Any]]:
    """Yield the options that a method's base lacks or has with another default.

    The base is the method that it is built on, or the networks that methods share.
    """
    shared = [base for base in (NetworkOptions, Options) if issubclass(method.Options, base)]
    base = next((cls.Options for cls in method.__mro__[1:] if "name" in vars(cls)), shared[0])
    known = {name: _default(info) for name, info in base.model_fields.items()}
    for name, info in method.Options.model_fields.items():
        if name not in known or known[name] != _default(info):
            yield name, _default(info)


def _default(info: FieldInfo) -> Any:
    return info.get_default(call_default_factory=True)


def _other_plug_ins(method: type[Method]) -> set[str]:
    """Return the names of the other modules and packages of `baselines` that a method uses."""
    names = {name.split(".")[1] for name in code_files(method) if name.startswith("baselines.")}
    return names - {method.__module__.split(".")[1]}


def _home(method: type[Method]) -> str:
    """Return the module of a method, or the package whose `method` it is in."""
    return method.__module__.removesuffix(".method")


def _to_translate(method: type[Method], counts: dict[str, int]) -> int:
    return sum(counts[name] for name in method.generator)


@cache
def _code_lines(method: type[Method]) -> int:
    return sum(code_lines(path) for path in own_files(method) if path.suffix == ".py")


def _place(method: type[Method]) -> str:
    if issubclass(method, ExternalMethod):
        return f"`baselines/{method.folder.name}`"
    alone = Path(inspect.getfile(method)).name not in ("method.py", "__init__.py")
    return f"`{_home(method).replace('.', '/')}{'.py' if alone else ''}`"


def _place_on_page(method: type[Method]) -> tuple[bool, int, str]:
    """Return what orders methods: by year, those of commands last."""
    years = re.findall(r"\b(?:19|20)\d\d\b", method.citation)
    return issubclass(method, ExternalMethod), int(years[-1]) if years else 0, method.name
