"""The names of the controls."""

from __future__ import annotations

CONTROLS = ("copy", "real")
