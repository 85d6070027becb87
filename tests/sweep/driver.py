"""`edgesr` on a board made of files: TABLE and STATE name what lies in /etc and /var/lib there."""

import functools
import os
import sys
from pathlib import Path

import edgesr.sweep.sweep as module
from edgesr.cli import main

places = module.Places(Path(os.environ["TABLE"]), Path(os.environ["STATE"]) / "kept")
module.sweep = functools.partial(module.sweep, places=places)
os.geteuid = lambda: 0
sys.argv[0] = "edgesr"
main()
