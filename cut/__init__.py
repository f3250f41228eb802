"""cutbench: a reproducible benchmark around *Contrastive Learning for Unpaired Image Translation*."""

__version__ = "0.1.0"
