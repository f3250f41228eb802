"""Tests; a package, so that `python -m tests.chaos` finds this folder and not another `tests`."""
