"""The files that a run leaves: one model per file, with its version, `read` and `write`."""
