"""What `import edgesr` gives: pictures enlarged, and power logs and bench results read.

model.py          a network that is open, and `upscale` for a single picture (docs/library.md)
upscaled.py       what is told of a picture that was written to a file
power.py          power measured while a block runs, and recorded logs
networks.py       which networks there are
"""
