"""List the methods, their options, and where each is defined."""

from __future__ import annotations

import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(args: argparse.Namespace) -> int:
    """Print the methods; the exit status is 1 if a plug-in does not import."""
    from cut.methods.registry import show

    return show()
