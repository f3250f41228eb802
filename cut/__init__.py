"""cutbench: a reproducible benchmark of unpaired image-to-image translation around CUT."""

__version__ = "0.1.0"
