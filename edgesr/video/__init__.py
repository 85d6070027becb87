"""Clips and animations, frame by frame through a network.

A clip is read and written by PyAV, the extra `[video]`: its frames are enlarged and encoded in
segments that lie beside the result until all are there, then joined with everything else that the
file holds. An animation (GIF, WebP, PNG) is read and written by Pillow, which applies disposal
and blending, and keeps durations and loop count; FFmpeg writes no such WebP that others read.
"""
