"""Download one file, with progress, resume, retries and a digest at the end.

A connection often breaks inside the body of a large file. Retrying by the client library would
start again there, so the loop here continues from the bytes that are on the disk.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from tqdm import tqdm

from cut.base.errors import UserError
from cut.base.files import sha256_of

CHUNK = 1 << 18
MAX_BYTES = 4_000_000_000  # the default bound of a file's size
# Another try may succeed after these; any other status of 400 and above is final.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _TryAgain(Exception):
    """The connection or the server failed, and another try may succeed."""


def download(
    url: str,
    dest: Path,
    sha256: str | None = None,
    *,
    advice: str = "fetch it by other means and give the local file",
    attempts: int = 5,
    backoff: float = 1.0,
    timeout: tuple[float, float] = (15.0, 60.0),
    max_bytes: int = MAX_BYTES,
) -> Path:
    """Download `url` to `dest`, which appears only when it is complete; return `dest`.

    Bytes go to `dest.part`. A later call continues there if the server still has the same file
    (`If-Range`, and the total size). An existing `dest` is kept if it has the digest, or if no
    digest is given.

    Args:
        url: http or https.
        dest: the file to write.
        sha256: expected digest.
        advice: what to do instead; the end of every error.
        attempts: most tries in a row that bring no new byte.
        backoff: seconds before the second try, doubled for each further one.
        timeout: (to connect, without a byte) in seconds.
        max_bytes: most bytes that the file may have.

    Raises:
        UserError: the server refuses, does not answer, passes on from https to http, or sends a
            file that is too large or has another sha256.
    """
    dest = Path(dest)
    if dest.is_file() and (sha256 is None or sha256_of(dest) == sha256):
        return dest
    dest.parent.mkdir(parents=True, exist_ok=True)
    part = dest.with_name(dest.name + ".part")
    asked = _Asked(url, part, advice, timeout, max_bytes)
    _fetch_with_retries(asked, attempts, backoff)
    found = sha256_of(part)
    _notes(part).unlink(missing_ok=True)
    if sha256 is not None and found != sha256:
        part.unlink()
        raise UserError(
            f"{url} is not the expected file: its sha256 is {found[:12]}…, "
            f"expected {sha256[:12]}…; {advice}"
        )
    os.replace(part, dest)
    return dest


@dataclass(frozen=True)
class _Asked:
    """What to fetch, and where to."""

    url: str
    part: Path
    advice: str
    timeout: tuple[float, float]
    max_bytes: int

    def check_size(self, size: int) -> None:
        """Refuse a file that is larger than allowed, and remove what came of it."""
        if size > self.max_bytes:
            self.part.unlink(missing_ok=True)
            _notes(self.part).unlink(missing_ok=True)
            raise UserError(
                f"{self.url} has more than the {self.max_bytes} bytes that are allowed; if that is"
                f" right, give the data set a higher max_bytes, or {self.advice}"
            )


class _Session(requests.Session):
    """A session that follows no redirection from https to http, where anybody may send the file."""

    def get_redirect_target(self, response: requests.Response) -> str | None:
        """Return the address that a response passes on to, or None.

        Raises:
            UserError: the address is not encrypted, and that of the response is.
        """
        target = super().get_redirect_target(response)
        if target and response.url.lower().startswith("https:"):
            place = urljoin(response.url, target)
            if not place.lower().startswith("https:"):
                raise UserError(
                    f"{response.url} passes on to {place}, which is not encrypted; fetch the file"
                    " by other means and give it"
                )
        return target


def _fetch_with_retries(asked: _Asked, attempts: int, backoff: float) -> None:
    """Complete the file, in as many tries as bring new bytes and `attempts` that do not."""
    url, part, advice = asked.url, asked.part, asked.advice
    failures = 0
    while True:
        before = _size(part)
        try:
            _fetch(asked)
            return
        except _TryAgain as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= attempts:
                raise UserError(
                    f"could not download {url} in {attempts} tries ({error}); try again later "
                    f"(it continues at byte {_size(part)}), or {advice}"
                ) from None
            time.sleep(backoff * 2 ** (failures - 1))
        except requests.RequestException as error:  # a malformed address, endless redirects, …
            raise UserError(f"could not download {url} ({_reason(error)}); {advice}") from None


def _fetch(asked: _Asked) -> None:
    """Download the rest of the file."""
    url, part = asked.url, asked.part
    notes = _read_notes(part, url)
    start = _size(part) if notes else 0
    if notes and start == notes["total"]:
        return
    # Identity, because with compression Range and Content-Length do not count bytes of the file.
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": notes["validator"]}
    try:
        with (
            _Session() as session,
            session.get(url, headers=headers, stream=True, timeout=asked.timeout) as response,
        ):
            if response.status_code in PASSING:
                raise _TryAgain(f"HTTP {response.status_code}")
            if response.status_code == 416:  # `part` is longer than the file on the server
                part.unlink(missing_ok=True)
                raise _TryAgain("the file changed on the server")
            if response.status_code >= 400:
                raise UserError(
                    f"could not download {url} (HTTP {response.status_code}); {asked.advice}"
                )
            start, total = _position(response, part, start, notes, url)
            asked.check_size(total or 0)
            _write(response, asked, start, total)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _TryAgain(_reason(error)) from None
    except requests.exceptions.ChunkedEncodingError:
        raise _TryAgain(f"the connection broke at byte {_size(part)}") from None
    if total is not None and _size(part) != total:
        raise _TryAgain(f"{_size(part)} of {total} bytes came")


def _position(
    response: requests.Response, part: Path, start: int, notes: dict[str, Any], url: str
) -> tuple[int, int | None]:
    """Return (first byte of the body, total bytes); write the notes that a resume needs."""
    if response.status_code == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if match is None or (int(match[1]), int(match[2])) != (start, notes.get("total")):
            part.unlink(missing_ok=True)
            raise _TryAgain("the server sent another range than requested")
        return start, notes["total"]
    length = response.headers.get("Content-Length", "")
    etag = response.headers.get("ETag", "")
    # A weak ETag does not guarantee equal bytes; the standard forbids it in If-Range.
    weak = not etag or etag.startswith("W/")
    validator = response.headers.get("Last-Modified") if weak else etag
    part.unlink(missing_ok=True)
    _notes(part).unlink(missing_ok=True)
    if not length.isdigit():
        return 0, None
    if validator:
        known = {"url": url, "validator": validator, "total": int(length)}
        _notes(part).write_text(json.dumps(known))
    return 0, int(length)


def _write(response: requests.Response, asked: _Asked, start: int, total: int | None) -> None:
    """Append the body to the file."""
    bar = tqdm(
        desc=asked.part.name.removesuffix(".part"),
        initial=start,
        total=total,
        unit="B",
        unit_scale=True,
        disable=None,  # only on a terminal
    )
    with bar, open(asked.part, "ab") as file:
        for chunk in response.iter_content(CHUNK):
            start += len(chunk)
            asked.check_size(start)
            file.write(chunk)
            bar.update(len(chunk))


def _notes(part: Path) -> Path:
    """Return the file beside `part` that identifies the version of the file on the server."""
    return part.with_name(part.name + ".json")


def _read_notes(part: Path, url: str) -> dict[str, Any]:
    """Return {"url", "validator", "total"} if the download can continue, else nothing."""
    try:
        notes = json.loads(_notes(part).read_text())
        usable = notes["url"] == url and 0 < _size(part) <= notes["total"] and notes["validator"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return notes if usable else {}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _reason(error: BaseException) -> str:
    """Return a few words for a failed connection, in place of the long text of requests."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refused the connection"
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted encrypted connection"
    if isinstance(error, requests.ConnectionError):
        text = str(error)
        dns = ("NameResolution", "getaddrinfo", "Name or service")
        return "no such host" if any(word in text for word in dns) else "no connection"
    return type(error).__name__
