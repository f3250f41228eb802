"""One run: from a data set to weights and translations."""
