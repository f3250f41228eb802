"""What this machine has: processor, memory, disk, GPUs, and the programs that the workflow uses."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

ASK_SECONDS = 30  # for the version of a program
LIMITS = (  # of the memory of a container or of a job
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


@dataclass(frozen=True)
class Gpu:
    """A GPU that torch can use, with its memory in bytes."""

    name: str
    memory: int
    free: int


@dataclass(frozen=True)
class Machine:
    """A machine.

    Attributes:
        python: version of Python.
        torch: version of torch, None if it is not installed.
        cuda: version of CUDA that torch was built for, None for a CPU build.
        gpus: those that torch can use.
        driver: whether there is an NVIDIA driver.
        cores: processor cores that this process may use.
        load: processes that want to compute, averaged over a minute.
        memory: bytes of memory.
        free: bytes of memory that are free.
        programs: a program's version or path, None where it is missing.
    """

    python: str
    torch: str | None
    cuda: str | None
    gpus: tuple[Gpu, ...]
    driver: bool
    cores: int
    load: float
    memory: int
    free: int
    programs: dict[str, str | None]


def this_machine() -> Machine:
    """Return what this machine has. It imports torch, if there is one."""
    cuda, gpus = _gpus()
    memory, free = _memory()
    return Machine(
        python=platform.python_version(),
        torch=installed("torch"),
        cuda=cuda,
        gpus=gpus,
        driver=shutil.which("nvidia-smi") is not None,
        cores=_cores(),
        load=psutil.getloadavg()[0],
        memory=memory,
        free=free,
        programs={
            "Snakemake": installed("snakemake"),
            "conda": _said_version("conda"),
            "uv": _said_version("uv"),
            "Slurm": shutil.which("sbatch"),
            "Slurm plug-in": installed("snakemake-executor-plugin-slurm"),
        },
    )


def installed(package: str) -> str | None:
    """Return the version of an installed Python package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def free_disk(folder: Path) -> int:
    """Return the free bytes of the disk that `folder` is on, or will be on."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def _gpus() -> tuple[str | None, tuple[Gpu, ...]]:
    """Return the CUDA version of torch and the GPUs that it finds."""
    try:
        import torch
    except ImportError:
        return None, ()
    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        found.append(Gpu(torch.cuda.get_device_name(index), total, free))
    return torch.version.cuda, tuple(found)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> tuple[int, int]:
    """Return the bytes of memory that this process may use, and those that are free."""
    memory = psutil.virtual_memory()
    total = memory.total
    for limit in map(Path, LIMITS):
        text = limit.read_text().strip() if limit.is_file() else "max"
        if text.isdigit():
            total = min(total, int(text))
    return total, min(total, memory.available)


def _said_version(program: str) -> str | None:
    """Return the version that a program prints, its path if it prints none, or None without it."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=ASK_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return path
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else path
