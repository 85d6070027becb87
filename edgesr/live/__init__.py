"""A live picture: frames from GStreamer, through the engine, back to GStreamer.

endpoints.py   what --source and --sink name, checked
pipelines.py   the GStreamer pipelines of a board, a source and a sink, as words (pure)
gdp.py         frames with their times through a pipe: GStreamer's own data protocol (pure)
child.py       a gst-launch-1.0 process and what it complains about
capture.py     reads frames of a source in a thread and keeps the latest
display.py     hands frames to a sink, and tells when it is ready for the next
policy.py      which frame is worth starting on, and which is too old to be shown (pure)
enlarge.py     a frame through a session
overlay.py     the figures written into a frame
meter.py       power and temperature while frames run
figures.py     what happened to each frame, and what that sums up to
run.py         all of it together
"""
