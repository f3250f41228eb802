"""Methods besides CUT: one file (or one folder) each, found by looking."""
