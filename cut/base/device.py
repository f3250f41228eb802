"""Choose the device of networks and training steps."""

from __future__ import annotations

import torch

from cut.base.errors import UserError
from cut.base.gpu_lock import take_gpu


def choose_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu` or `cuda` stands for.

    Of several GPUs it is the first one that no other process has taken, among those that
    CUDA_VISIBLE_DEVICES allows. This process keeps it to its end.

    Raises:
        UserError: `cuda` is asked for, but there is no GPU.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError("device is cuda, but torch finds no CUDA GPU; use device cpu")
    if name == "cpu" or not available:
        return torch.device("cpu")
    # By UUID: each job of a cluster may see its own GPU as number 0.
    gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    index = take_gpu([str(gpu.uuid) for gpu in gpus])
    torch.cuda.set_device(index)
    print(f"on GPU {index} of {len(gpus)}: {gpus[index].name}", flush=True)
    return torch.device("cuda", index)
