"""The arguments of a tiny training."""

from __future__ import annotations

import json

OPTIONS = {"ngf": 4, "ndf": 4, "n_blocks": 1, "nce_layers": [0, 4, 8], "n_patches": 8, "width": 8}
TRAINING = {"epochs_constant": 2, "epochs_decay": 2, "log_every": 6}
SAVED_OFTEN = {**TRAINING, "log_every": 2, "checkpoint_minutes": 0}  # a state after every step


def arguments(dataset, out, method="cut", options=OPTIONS, training=TRAINING, **more):
    """Return the arguments of `python -m cut train`."""
    given = {"dataset": dataset, "out": out, "method": method, "size": 32, "device": "cpu", **more}
    given |= {"options": json.dumps(options), "training": json.dumps(training)}
    return [f"--{name}={value}" for name, value in given.items()]
