"""Backends behind one protocol, and a picture through any of them."""
