"""The style that every page of ours begins with: colours, type, cards, banners and plots."""

from importlib.resources import files

from edgesr.pages.svg import COLOURS

PAGE_STYLE = COLOURS + (files(__package__) / "page.css").read_text("utf-8").rstrip("\n")
"""CSS; a page's own rules come behind it."""
