"""Run a function over many items in threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
R = TypeVar("R")


def in_threads(work: Callable[[T], R], items: Iterable[T], title: str) -> list[R]:
    """Return `work(item)` for every item, in order.

    Threads help because hashing and decoding release Python's global lock. `title` labels the
    progress bar.
    """
    items = list(items)
    pool = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1))
    try:
        done = pool.map(work, items)
        return list(tqdm(done, title, len(items), unit="image", disable=None, leave=False))
    finally:
        pool.shutdown(cancel_futures=True)
