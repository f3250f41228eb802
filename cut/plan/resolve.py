"""Resolve the rows of a configuration: each is a method with checked options.

The methods, and with them torch, are imported inside the functions.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from cut.base.errors import UserError, unknown
from cut.base.image_size import height_width
from cut.plan import checks
from cut.plan.config import Config, Row
from cut.plan.rows import Commands, PlannedRow
from cut.training.options import WITHOUT_EFFECT, TrainingOptions, training_options

if TYPE_CHECKING:
    from cut.methods.commands import ExternalMethod
    from cut.methods.registry import Registry


def resolve_rows(config: Config) -> dict[str, PlannedRow]:
    """Return the rows that `config` runs, by name.

    Raises:
        UserError: one sentence about the first method or option that is wrong.
    """
    from cut.methods.registry import discover

    registry = discover()
    for name, row in config.methods.items():
        if row.method is None and name not in registry.methods:
            sentence = unknown("method", name, list(registry.methods))
            raise UserError(f"row {name!r} names no method, and is none: {sentence}")
    rows = {name: _resolve(config, registry, name) for name in config.run}
    _check_shared(config, registry, rows)
    return rows


def _resolve(config: Config, registry: Registry, name: str) -> PlannedRow:
    from cut.methods.code_digest import code_digest
    from cut.methods.commands import ExternalMethod
    from cut.methods.cut import Cut
    from cut.methods.options import parse_options

    row = config.methods.get(name, Row())
    if name not in {*config.methods, *registry.methods, *registry.broken}:
        raise UserError(unknown("method in run", name, [*registry.methods, *config.methods]))
    cls = registry[row.method or name]
    shared = {k: v for k, v in config.options.items() if k in cls.Options.model_fields}
    options = {**shared, **row.options}
    parsed = parse_options(cls.Options, options, f"row {name}")
    every_option = parsed.model_dump(mode="json")
    checks.check_best(config, name)
    training = {**config.training, **row.training}
    if config.best:
        training |= {"snapshot_every": config.best.every, "held_out": config.best.held_out}
    size = height_width(config.size, "size")
    try:
        cls.check_stride(size)
        loop: TrainingOptions = training_options(cls, training, size)
        cls.check(parsed, loop.crop(size))
    except UserError as error:
        raise UserError(f"row {name}: {error}") from None
    # A control has no training; leave it out, so that none is rerun for it.
    every_training = loop.model_dump(mode="json") if cls.trained else {}
    training = _as_read(training, every_training) if cls.trained else {}
    return PlannedRow(
        name=name,
        algorithm=cls.name,
        options=_as_read(options, every_option),
        training={k: v for k, v in training.items() if k not in WITHOUT_EFFECT},
        loop={k: v for k, v in training.items() if k in WITHOUT_EFFECT},
        threads=loop.threads + loop.workers if cls.trained else 1,
        trained=cls.trained,
        role=cls.role,
        contrastive=issubclass(cls, Cut) and parsed.lambda_nce > 0,
        code=code_digest(cls),
        every_option=every_option,
        steps=cls.steps(parsed),
        channels=cls.takes(parsed),
        stochastic=bool(cls.scored(parsed)),
        every_training=every_training,
        commands=_commands(cls, parsed.model_dump()) if issubclass(cls, ExternalMethod) else None,
    )


def _as_read(given: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that were `given`, with the `values` that were read from them.

    What means the same then reads the same in plan and records, however it was written: the nested
    values of Snakemake's `--config` arrive as text. A whole number stays one (2, not 2.0).
    """
    return {name: _whole(values[name]) for name in given}


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _commands(method: type[ExternalMethod], options: dict[str, Any]) -> Commands:
    def text(value: Any) -> str:
        return json.dumps(value) if isinstance(value, bool) else str(value)

    templates = {"train": method.spec.train, "translate": method.spec.translate}
    values = {name: shlex.quote(text(value)) for name, value in options.items()}
    return Commands(str(method.folder), templates, values)


def _check_shared(config: Config, registry: Registry, rows: dict[str, PlannedRow]) -> None:
    """Refuse a shared option that no trained row of the run has: most likely a misspelling."""
    classes = [registry[row.algorithm] for row in rows.values() if row.trained]
    known = {name for cls in classes for name in cls.Options.model_fields}
    for name in config.options:
        if classes and name not in known:
            raise UserError(unknown("option under options", name, sorted(known)))
