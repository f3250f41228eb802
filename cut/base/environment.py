"""The software and hardware that a run used."""

from __future__ import annotations

import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cut

if TYPE_CHECKING:
    import torch

PACKAGES = ("torch", "torchvision", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Return the versions that the numbers of a training may depend on."""
    packages = {name: version(name) for name in PACKAGES}
    return {"cutbench": cut.__version__, "python": platform.python_version(), **packages}


def hardware(device: torch.device) -> dict[str, Any]:
    """Return the processor, torch's CPU threads and, if `device` is one, the GPU."""
    import torch  # records and tables need versions without it

    facts: dict[str, Any] = {"cpu": _cpu_name(), "threads": torch.get_num_threads()}
    if device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device)
        facts |= {"gpu": gpu.name, "gpu_index": device.index}
        facts |= {"gpu_memory_bytes": gpu.total_memory, "cuda": torch.version.cuda}
    return facts


def peak_memory(device: torch.device) -> dict[str, Any]:
    """Return the peak memory in bytes: allocated on the GPU, or resident in this process."""
    if device.type == "cuda":
        import torch

        return {
            "peak_memory_bytes": torch.cuda.max_memory_allocated(device),
            "peak_memory_kind": "cuda",
        }
    unit = 1 if sys.platform == "darwin" else 1024
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"peak_memory_bytes": rss, "peak_memory_kind": "rss"}


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
