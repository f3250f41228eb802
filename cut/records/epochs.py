"""The form of epochs.csv."""

from __future__ import annotations

EPOCH_COLUMNS = ["epoch", "iteration", "fid", "kid", "fid_held_out"]
