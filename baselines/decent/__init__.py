"""DECENT."""
