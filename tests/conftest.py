"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import baselines

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("CUTBENCH_SHARED", ROOT.parent / "shared"))

# Two test workers on two cores: more threads than one a worker only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session", autouse=True)
def count_devices():
    """Let autograd count the devices before a test makes tensors that claim to be on a GPU.

    It counts once, at the first backward pass. After such tensors it finds a GPU, starts threads
    for it, and refuses to run in the forks of that process.
    """
    torch.ones((), requires_grad=True).backward()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder with the real horse-to-zebra archive, or skip saying why."""
    folder = SHARED / "data"
    if not (folder / "horse2zebra.zip").is_file():
        pytest.skip(f"no horse2zebra.zip under {folder}: its licence keeps it out of the project")
    return folder


@pytest.fixture(autouse=True)
def same_draws():
    """Let each test draw the same numbers, whichever tests ran before it in its process."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    """Close the figures that a test has drawn."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def write_photos(folder: Path, count: int, size: int = 32, seed: int = 0) -> None:
    """Write `count` PNG images of coloured noise blocks into `folder`."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        blocks = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        image = Image.fromarray(blocks).resize((size, size), Image.Resampling.BICUBIC)
        image.save(folder / f"{index:03}.png")


def write_pets(root: Path) -> Path:
    """Write a tiny unpaired data set: 6 + 5 training, 3 + 4 test images; return its folder."""
    for seed, (name, count) in enumerate(
        {"trainA": 6, "trainB": 5, "testA": 3, "testB": 4}.items()
    ):
        write_photos(root / name, count, seed=seed)
    return root


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Return the folder of `write_pets`."""
    return write_pets(tmp_path / "pets")


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """Return a function that writes plug-ins, {path: text}, into a folder of `baselines`."""
    root = tmp_path / "plugins"
    root.mkdir()
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(root)])
    before = set(sys.modules)

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return root

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("baselines."):
            del sys.modules[name]


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Return a running Chromium, or skip saying why there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=QUIET)
        yield running
        running.close()


@pytest.fixture
def opened(browser) -> Iterator:
    """Return a function that opens a page; whatever the browser complained of fails the test."""
    complaints, contexts = [], []

    def failed(request):
        # What is replaced while it loads is not loaded to its end: no fault of the page.
        if request.failure != "net::ERR_ABORTED":
            complaints.append(f"failed: {request.url} {request.failure}")

    def open_page(path: Path, fragment: str = "", **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", failed)
        page.on("request", lambda request: open_page.asked.append(request.url))
        page.goto(path.as_uri() + fragment)
        return page

    open_page.asked = []

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
