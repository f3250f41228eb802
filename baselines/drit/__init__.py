"""DRIT."""
