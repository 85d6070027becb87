"""How many pixels neighbouring tiles share where nobody said it."""

DEFAULT_OVERLAP = 8
"""Input pixels that neighbouring tiles share at least: the fewest that keep the gradient across
tile borders within about 1 % of the untiled picture's (benchmarks/results/tiles/overlap.json)."""


def choose_overlap(tile: tuple[int, int]) -> int:
    """Return the overlap in input pixels of tiles of (height, width): 8, or half a smaller tile."""
    return min(DEFAULT_OVERLAP, min(tile) // 2)
