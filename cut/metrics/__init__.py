"""Scores: pure functions on arrays, and the feature extractors that feed them."""
