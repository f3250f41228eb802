"""Scores of translations by a segmentation network."""
