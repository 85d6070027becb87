from nearest_network import data, make_nearest

__all__ = ["data", "make_nearest"]
