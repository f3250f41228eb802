"""UNSB."""
