"""Says how far two pictures are apart; ends with 1 where they differ by more than one grey level.

python same_picture.py X86.png ARM64.png
"""

import sys

import cv2
import numpy as np

first, second = (cv2.imread(name, cv2.IMREAD_UNCHANGED) for name in sys.argv[1:])
if first is None or second is None or first.shape != second.shape:
    sys.exit("error: one of them is missing, or they differ in size")
difference = np.abs(first.astype(int) - second.astype(int))
share = 100 * np.count_nonzero(difference) / difference.size
print(
    f"{first.shape}: {difference.max()} grey levels apart at most, {share:.4f} % of values differ"
)
sys.exit(int(difference.max() > 1))
