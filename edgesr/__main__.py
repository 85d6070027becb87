"""`python -m edgesr` is the `edgesr` command."""

from edgesr.cli import main

main()
