"""`python -m cut COMMAND`: see `cut.cli`."""

from cut.cli import main

main()
