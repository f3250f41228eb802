"""MUNIT."""
