"""What this machine has, what a config lacks to run here, and how long its trainings will take."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from cut.base.errors import UserError
from cut.data.prepare import source_folder, stands
from cut.data.registry import Entry
from cut.plan import estimate
from cut.plan.config import read
from cut.plan.inputs import check_inputs
from cut.plan.machine import Machine, free_disk, this_machine
from cut.plan.plan import Plan, make_plan
from cut.plan.status import duration

CONDA = (24, 7, 1)  # the oldest that Snakemake takes
WEIGHTS_BYTES = 96_000_000
BUSY = 0.5  # load per core from which a measurement is slowed
UNPACKED = 2.2  # a data set's archive and its images, in archives


@dataclass
class Findings:
    """The lines to print, and one sentence for each thing that is lacking."""

    lines: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)


def show(config: Path | None, seconds: float) -> int:
    """Print the machine and, if a config is given, what it needs here; return the exit status.

    Args:
        config: a config file.
        seconds: how long to measure training steps in all.

    Raises:
        UserError: the config has a mistake.
    """
    machine = this_machine()
    found = about_machine(machine)
    if config is not None and machine.torch:
        about_config(make_plan(read(config)), machine, seconds, found)
    print("\n".join([*found.lines, *(f"lacking: {sentence}" for sentence in found.lacking)]))
    if config is not None and not found.lacking:
        print(f"{config} can run here")
    return int(bool(found.lacking))


def about_machine(machine: Machine) -> Findings:
    """Return what the machine has, whatever is to be run on it."""
    found = Findings()
    built = f"built for CUDA {machine.cuda}" if machine.cuda else "a CPU build"
    found.lines.append(
        f"Python {machine.python}, torch {machine.torch} ({built})"
        if machine.torch
        else f"Python {machine.python}, no torch"
    )
    memory = f"{in_bytes(machine.memory)} of memory, {in_bytes(machine.free)} free"
    found.lines.append(f"processor: {machine.cores} cores, {memory}")
    gpus = [f"{g.name}, {in_bytes(g.memory)}, {in_bytes(g.free)} free" for g in machine.gpus]
    found.lines += [f"GPU {n}: {gpu}" for n, gpu in enumerate(gpus)] or ["GPU: none"]
    found.lines += [_program(*program) for program in machine.programs.items()]
    for package, version in (
        ("torch", machine.torch),
        ("Snakemake", machine.programs["Snakemake"]),
    ):
        if version is None:
            found.lacking.append(
                f"{package} is not installed in this Python; activate the environment, or install"
                " it as docs/running.md says"
            )
    return found


def _program(name: str, version: str | None) -> str:
    """Return the line of a program."""
    line = f"{name}: {version or 'none'}"
    numbers = (version or "").split(".")
    if name == "conda" and all(n.isdigit() for n in numbers):
        old = tuple(map(int, numbers)) < CONDA
        line += " (too old for --use-conda, which needs 24.7.1)" if old else ""
    return line


def about_config(plan: Plan, machine: Machine, seconds: float, found: Findings) -> None:
    """Add what the config has and lacks here, and the time of its trainings."""
    config = plan.config
    found.lines.append(f"Inception weights: {_weights(plan, found)}")
    if config.segmenter and not Path(config.segmenter).is_file():
        found.lacking.append(f"there is no file {config.segmenter}, which segmenter names")
    download = sum(_dataset(plan, entry, found) for entry in plan.entries.values())
    if config.device == "cuda" and not machine.gpus:
        found.lacking.append(_no_gpu(machine))
    costs = _times(plan, machine, seconds, found)
    needs = {config.data: round(download * UNPACKED)}
    needs[config.results] = needs.get(config.results, 0) + estimate.disk_bytes(plan, costs)
    for folder, need in needs.items():
        free = free_disk(Path(folder))
        about = f"about {in_bytes(need)} needed, {in_bytes(free)} free"
        found.lines.append(f"disk of {folder}: {about}")
        if need > free:
            found.lacking.append(f"the disk of {folder} is too small: {about}")


def _no_gpu(machine: Machine) -> str:
    """Return why a config with `device: cuda` can't run here."""
    if machine.cuda is None:
        return (
            f"device is cuda, but torch {machine.torch} is a CPU build; install the CUDA build as"
            " docs/running.md says, or use device: cpu"
        )
    reason = "the GPU is not visible to torch" if machine.driver else "no NVIDIA driver was found"
    return f"device is cuda, but {reason}; run it on a machine with a GPU, or use device: cpu"


def _weights(plan: Plan, found: Findings) -> str:
    """Return where the weights of FID's network are, or will come from."""
    given = plan.config.fid_weights
    if given is not None:
        if not Path(given).is_file():
            found.lacking.append(f"there is no file {given}, which fid_weights names")
        return given
    from cut.metrics.inception.weights import cached_inception, read_weights_json

    record = Path(plan.config.data) / "inception.json"
    try:  # the workflow takes what an earlier run has found
        weights = read_weights_json(record) if record.is_file() else cached_inception()
    except UserError as error:
        found.lacking.append(str(error))
        return "not here"
    if weights is None:
        return f"will be fetched, {in_bytes(WEIGHTS_BYTES)}"
    return str(getattr(weights, "path", weights))  # or the sentence of why there are none


def _dataset(plan: Plan, entry: Entry, found: Findings) -> int:
    """Add the line of a data set; return the bytes to download for it."""
    out, download = Path(plan.config.data) / entry.name, 0
    # The files of the config have lines of their own.
    bare = plan.config.model_copy(update={"fid_weights": None, "segmenter": None})
    try:
        check_inputs(replace(plan, config=bare, entries={entry.name: entry}))
        if stands(entry, out):
            state = f"prepared in {out}"
        elif entry.generator:
            state = "will be generated"
        elif entry.is_url:
            download = entry.archive_bytes or 0
            size = in_bytes(download) if download else "size not known"
            state = f"must be downloaded, {size}, from {entry.source}"
        else:
            source_folder(entry)  # raises where the user has to provide it
            state = f"will be prepared from {entry.source or 'the given archives'}"
    except UserError as error:
        found.lacking.append(str(error))
        state = "not here"
    found.lines.append(f"data set {entry.name}: {state}")
    return download


def _times(plan: Plan, machine: Machine, seconds: float, found: Findings) -> list[estimate.RowCost]:
    """Add the time and memory of the trainings that are left."""
    from cut.base.device import choose_device

    name = "cuda" if machine.gpus and plan.config.device == "cuda" else "cpu"
    costs, wrong = estimate.row_costs(plan, choose_device(name), seconds)
    found.lacking += map(str, wrong)
    for cost in costs:
        how = " (measured at half the side)" if cost.measured.scaled else ""
        left = f"{cost.trainings} training{'s' * (cost.trainings != 1)} left"
        each = f", {in_time(cost.seconds / cost.trainings)} each" if cost.steps else ""
        step = f"{cost.measured.seconds:.3g} s per step{how}"
        found.lines.append(f"row {cost.row}: {step}; {left}{each}")
    if not costs:
        return costs
    at_once = estimate.at_a_time(costs, len(machine.gpus) if name == "cuda" else 0, machine.cores)
    total = estimate.wall_seconds(costs, at_once)
    where = "GPU" if name == "cuda" else "CPU"
    limit = f"--resources gpu={at_once}" if name == "cuda" else f"--cores {machine.cores}"
    if total:
        found.lines.append(
            f"all trainings: {in_time(total)} on this {where}, {at_once} at a time ({limit})"
        )
    if machine.load > BUSY * machine.cores:
        found.lines.append(
            f"    this machine is busy: load {machine.load:.1f} on {machine.cores} cores; measure"
            " again when nothing else runs"
        )
    found.lines += _assumed(plan)
    _memory(costs, machine, name, at_once, found)
    return costs


def _assumed(plan: Plan) -> list[str]:
    """Return what the time leaves out."""
    lines = [
        "    assumed: images load while the step before computes, and trainings side by side do not"
        " slow each other",
        "    not counted: preparing, translating and scoring; controls need no training",
    ]
    commands = [row.name for row in plan.rows.values() if row.commands is not None]
    if commands:
        lines.append(f"    not counted: programs of their own ({', '.join(commands)})")
    unknown = sorted(set(plan.entries) - set(estimate.image_counts(plan)))
    if unknown:
        lines.append(
            f"    not counted: sets without a known number of images ({', '.join(unknown)})"
        )
    return lines


def _memory(
    costs: list[estimate.RowCost], machine: Machine, name: str, at_once: int, found: Findings
) -> None:
    """Add the memory of the largest training, and whether it is there."""
    largest = max(costs, key=lambda cost: cost.measured.memory)
    need = largest.measured.memory
    on_gpu = name == "cuda"
    has = min(gpu.memory for gpu in machine.gpus) if on_gpu else machine.memory
    there = "the GPU" if on_gpu else "this machine"
    found.lines.append(
        f"memory of a training: up to {in_bytes(need)} (row {largest.row}); {there} has"
        f" {in_bytes(has)}"
    )
    needed = need * (1 if on_gpu else at_once)
    if needed > has:
        found.lacking.append(
            f"{at_once} trainings side by side need about {in_bytes(needed)} of memory, and {there}"
            f" has {in_bytes(has)}; run fewer at a time (--cores), or use a smaller size"
        )


def in_bytes(value: int) -> str:
    """Return a number of bytes in MB or GB."""
    return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def in_time(seconds: float) -> str:
    """Return a time in minutes, hours or, from two days on, days."""
    return duration(seconds) if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
