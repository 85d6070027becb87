"""PyTorch computes with one thread here, and in the programs that tests start.

Networks in tests are so small that a second thread waits more than it computes, and threads of
OpenMP wait by computing: two steps of the teacher take 7.6 s of CPU with one thread and 20.4 s with
two, where other processes want the same cores. ONNX Runtime has threads of its own.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # is read when torch is imported
