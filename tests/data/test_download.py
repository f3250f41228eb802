"""Downloads from a server that breaks off, refuses, or changes its file."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from cut.base.errors import UserError
from cut.data.download import _Session, download

BODY = bytes(range(256)) * 4000  # 1 MB
SHA = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `body` at every path; `script` says how each request goes wrong, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.etag = BODY, '"one"'
        self.validators = self.sizes = True
        self.script: list[int | str] = []  # after how many bytes to hang up, or an HTTP status
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/set.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get("Range")
        server.ranges.append(wanted)
        trouble = server.script.pop(0) if server.script else None
        if isinstance(trouble, str):
            self.send_error(int(trouble))
            return
        start = 0
        if wanted and self.headers.get("If-Range", server.etag) == server.etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        if start:
            last = len(server.body) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(server.body)}")
        if server.validators:
            self.send_header("ETag", server.etag)
        rest = server.body[start:]
        if server.sizes:
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest if trouble is None else rest[:trouble])  # then the connection closes


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(server: Server, dest: Path, sha256: str | None = SHA, attempts: int = 3) -> Path:
    return download(server.url, dest, sha256, advice="use a copy", attempts=attempts, backoff=0.01)


def test_a_broken_download_continues_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.script = [400_000, 300_000]
    dest = get(server, tmp_path / "deep" / "set.zip")
    assert dest.read_bytes() == BODY
    assert server.ranges[0] is None and len(server.ranges) == 3
    starts = [int(text.removeprefix("bytes=").rstrip("-")) for text in server.ranges[1:]]
    assert 0 < starts[0] < starts[1] < len(BODY)
    assert list(dest.parent.iterdir()) == [dest]


def test_a_later_call_continues_and_one_after_asks_for_nothing(
    server: Server, tmp_path: Path
) -> None:
    server.script = [500_000, "503", "503", "503"]
    with pytest.raises(UserError, match="in 3 tries .HTTP 503.*continues at byte.*use a copy"):
        get(server, tmp_path / "set.zip")
    assert (tmp_path / "set.zip.part").stat().st_size > 0
    get(server, tmp_path / "set.zip")
    assert server.ranges[-1] is not None and (tmp_path / "set.zip").read_bytes() == BODY
    asked = len(server.ranges)
    get(server, tmp_path / "set.zip")
    assert len(server.ranges) == asked


def test_a_file_that_changed_on_the_server_starts_again(server: Server, tmp_path: Path) -> None:
    server.script = [500_000, "503"]
    with pytest.raises(UserError):
        get(server, tmp_path / "set.zip", attempts=1)
        get(server, tmp_path / "set.zip", attempts=1)
    server.body, server.etag = BODY[::-1], '"two"'
    assert get(server, tmp_path / "set.zip", None).read_bytes() == BODY[::-1]


def test_without_a_validator_nothing_is_spliced(server: Server, tmp_path: Path) -> None:
    server.validators, server.script = False, [500_000]
    assert get(server, tmp_path / "set.zip").read_bytes() == BODY
    assert server.ranges == [None, None]


def test_a_refusal_is_final_and_says_what_to_do(server: Server, tmp_path: Path) -> None:
    server.script = ["404"]
    with pytest.raises(UserError, match=r"set\.zip \(HTTP 404\); use a copy"):
        get(server, tmp_path / "set.zip")
    assert len(server.ranges) == 1


def test_a_wrong_digest_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not the expected file.*use a copy"):
        get(server, tmp_path / "set.zip", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_no_server_and_no_url_are_sentences(tmp_path: Path) -> None:
    with Server() as gone:
        url = gone.url
    with pytest.raises(UserError, match="no connection.*use a copy"):
        download(url, tmp_path / "x", advice="use a copy", attempts=2, backoff=0.01)
    with pytest.raises(UserError, match="use a copy"):
        download("http://", tmp_path / "x", advice="use a copy", attempts=2, backoff=0.01)


def test_no_more_than_the_allowed_bytes_are_taken(server: Server, tmp_path: Path) -> None:
    for hide in (False, True):  # also from a server that does not tell the size
        server.sizes = not hide
        with pytest.raises(UserError, match="more than the 500000 bytes.*max_bytes.*use a copy"):
            download(server.url, tmp_path / "x", advice="use a copy", max_bytes=500_000)
        assert list(tmp_path.iterdir()) == []
    server.sizes = True
    download(server.url, tmp_path / "x", max_bytes=len(BODY))


@pytest.mark.parametrize(
    ("start", "target", "allowed"),
    [
        ("https://a.example/x", "http://b.example/x", False),
        ("HTTPS://a.example/x", "HTTP://b.example/x", False),
        ("https://a.example/x", "ftp://b.example/x", False),
        ("https://a.example/x", "/y", True),
        ("https://a.example/x", "https://b.example/x", True),
        ("http://a.example/x", "http://b.example/x", True),
    ],
)
def test_a_redirection_never_leaves_https(start: str, target: str, allowed: bool) -> None:
    response = requests.Response()
    response.url, response.status_code = start, 302
    response.headers["Location"] = target
    if allowed:
        assert _Session().get_redirect_target(response) == target
    else:
        with pytest.raises(UserError, match="not encrypted"):
            _Session().get_redirect_target(response)
