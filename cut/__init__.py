"""cutbench: a reproducible benchmark of unpaired image-to-image translation around CUT."""

import gc
import sys

__version__ = "0.1.0"

# For `python -m cut.NAME` (argv[0] is "-m" while it is being found) the garbage collector waits
# until `cut.errors.command` has all imports: torch makes 300,000 objects and no garbage, and going
# through them again and again, on leaving too, takes up to two seconds a command.
if sys.argv[:1] == ["-m"] and any(
    arg.removeprefix("-m").startswith("cut.") for arg in sys.orig_argv
):
    gc.disable()
