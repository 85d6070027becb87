"""Power and energy: sensors, logs and the integration of what they say.

tegrastats.py        one printed line -> TegrastatsLine (pure)
tegrastats_log.py    a recorded log -> samples with times (line_times.py)
sample.py            Sample, the one type that every sensor gives
board_rails.py       which rail is the total
sampler.py           the Sampler protocol and `open_sampler`; one file per sensor beside it
energy.py, spans.py  samples -> joules with an uncertainty; idle and busy spans (pure)
"""
