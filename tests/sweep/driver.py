"""`edgesr` on a board made of files: TABLE and STATE name what lies in /etc and /var/lib there."""

import os
import sys
from pathlib import Path

from be_root_on import be_root_on

from edgesr.cli import main

be_root_on(Path(os.environ["TABLE"]), Path(os.environ["STATE"]) / "kept")
sys.argv[0] = "edgesr"
main()
