"""The quality of formats with loss, from 1 to 100; where it is named, no decoder is loaded."""

DEFAULT_QUALITY = 95
