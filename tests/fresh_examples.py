"""Every run tests the same examples, so that it fails for a change and for nothing else.

`EDGESR_FRESH_SEEDS=20 pytest` tests examples that no run has seen before: 20 seeds of each kind of
log, and other inputs of each test by Hypothesis. A failure then names its seed or its input.
"""

import os
from importlib.util import find_spec

FRESH_SEEDS = int(os.environ.get("EDGESR_FRESH_SEEDS", "0"))

if find_spec("hypothesis"):
    from hypothesis import settings

    # No deadline: the machine may be busy.
    settings.register_profile("edgesr", deadline=None, derandomize=not FRESH_SEEDS)
    settings.load_profile("edgesr")
