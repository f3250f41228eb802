"""A lock per GPU of this machine, so that each GPU is used by one process at a time.

The locks end with the process that holds them, however it ends. They lie outside the checkout
because all checkouts and users of a machine share its GPUs.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path("/tmp")
INTERVAL = 1.0  # seconds between two attempts

_held: dict[Path, int] = {}  # open files by path: closing one frees its GPU


def take_gpu(names: Sequence[str], folder: Path = FOLDER) -> int:
    """Return the position of a GPU in `names` that no other process holds, and hold it.

    It waits while all are held. A process that already holds one of them keeps it.

    Args:
        names: a name per GPU that this process can see, the same in each process that can see it.
        folder: a folder that all processes of this machine share.
    """
    paths = [folder / f"cutbench-gpu-{name}.lock" for name in names]
    announced = False
    while True:
        for position, path in enumerate(paths):
            if path in _held or _acquire(path):
                return position
        if not announced:
            print(f"waiting for a free GPU: all {len(names)} are taken", flush=True)
            announced = True
        time.sleep(INTERVAL)


def _acquire(path: Path) -> bool:
    """Return whether the lock is held now, or files cannot be locked here."""
    try:
        descriptor = _open(path)
    except OSError as error:
        print(f"note: GPUs can't be locked here ({error}); don't use one twice", flush=True)
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    _held[path] = descriptor
    return True


def _open(path: Path) -> int:
    # A file of another user can be opened for reading only, and not with O_CREAT in a folder such
    # as /tmp; reading is enough for a lock.
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CREAT, 0o644)
