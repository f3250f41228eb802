"""The generators that a training keeps at some epochs, to score them and choose one.

They are `RUN/snapshots/epoch0004.pt` and so on; `run.json` has the digest of each. Snakemake does
not know them. The generator of the last epoch is the run's `generator.pt`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.base.files import replacing, sha256_of
from cut.base.tensor_files import check_archive, save_tensors
from cut.records.run import RunRecord


def kept_epochs(every: int, epochs: int) -> list[int]:
    """Return the 1-based epochs kept: every `every`-th one before the last; none if it is 0."""
    return list(range(every, epochs, every)) if every else []


def folder_of(run: Path) -> Path:
    """Return the folder of a run's snapshots."""
    return Path(run) / "snapshots"


def path_of(run: Path, epoch: int) -> Path:
    """Return the file of the generator of `epoch`."""
    return folder_of(run) / f"epoch{epoch:04d}.pt"


def save(run: Path, epoch: int, state: dict[str, Any]) -> str:
    """Write a generator's state, atomically; return the sha256 of the file."""
    save_tensors(path_of(run, epoch), state)
    return sha256_of(path_of(run, epoch))


def clear(run: Path, keep: list[int]) -> None:
    """Remove the snapshots of another training: all but those of the epochs `keep`."""
    kept = {path_of(run, epoch) for epoch in keep}
    for path in folder_of(run).glob("*.pt"):
        if path not in kept:
            path.unlink()


def digests(run: Path, epochs: list[int], known: dict[int, str]) -> dict[int, str]:
    """Return {epoch: sha256 of its generator}.

    A file that is missing, damaged or another than the `known` one is named and left out.
    """
    found = {}
    for epoch in epochs:
        path = path_of(run, epoch)
        try:
            check_archive(path)
            digest = sha256_of(path)
        except Exception:  # noqa: BLE001 - a damaged archive raises many kinds
            digest = ""
        if digest and digest == known.get(epoch, digest):
            found[epoch] = digest
        else:
            print(f"note: {path} is missing or damaged, so epoch {epoch} is not scored", flush=True)
    return found


def verified(run: Path, record: RunRecord) -> dict[int, Path]:
    """Return {epoch: file} of a finished run, including `generator.pt` of the last epoch.

    Raises:
        UserError: see `verify`.
    """
    found = {epoch: path_of(run, epoch) for epoch in record.snapshots}
    for epoch, path in found.items():
        verify(path, record.snapshots[epoch], run)
    last = Path(run) / "generator.pt"
    verify(last, record.generator_sha256, run)
    return {**found, record.epochs: last}


def verify(path: Path, digest: str, run: Path) -> None:
    """Check that a generator has the sha256 `digest`; an empty `digest` accepts any.

    A missing or damaged one is taken back from a copy in the run, if there is one.

    Raises:
        UserError: there is no copy either.
    """
    if whole(path, digest, run):
        return
    state = "is not the one that run.json names" if path.is_file() else "is missing"
    remedy = f"python -m cut train {run / 'request.json'}"
    if list((run / "state").glob("*.pt")):
        raise UserError(f"{path} {state}; take it back from the kept training state with {remedy}")
    raise UserError(
        f"{path} {state}, and no copy of it is in the run; put one back from elsewhere, or make it"
        f" again with {remedy} --replace, which trains from the start"
    )


def whole(path: Path, digest: str, run: Path) -> bool:
    """Return whether a generator has the sha256 `digest`, perhaps after it was taken back."""
    if path.is_file() and digest in ("", sha256_of(path)):
        return True
    run = Path(run)
    copies = [run / "best" / "generator.pt", run / "generator.pt", *folder_of(run).glob("*.pt")]
    for copy in copies:
        if copy != path and copy.is_file() and sha256_of(copy) == digest:
            times = (run / "run.json").stat()
            with replacing(path) as temporary:
                shutil.copyfile(copy, temporary)
                # Nothing that was made from these weights has to be made again.
                os.utime(temporary, ns=(times.st_atime_ns, times.st_mtime_ns))
            print(f"note: {path} was missing or damaged; it is taken back from {copy}", flush=True)
            return True
    return False
