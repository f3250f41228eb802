"""The files that a run leaves: one model per file."""
