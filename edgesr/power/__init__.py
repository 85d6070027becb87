"""Power and energy: sensors, logs and the integration of what they say.

wrapping.py          a line as docker, the journal or a terminal wrapped it -> the line (pure)
tegrastats.py        one printed line -> TegrastatsLine (pure)
tegrastats_log.py    a recorded log -> samples with times (log_rows, line_order, line_times)
power_log.py         any recorded file, by the tool that wrote it (jtop_csv, energy_windows, ...)
sample.py            Sample, the one type that every sensor gives
board_rails.py       which rail is the total
sampler.py           the Sampler protocol and `open_sampler`; one file per sensor beside it
power_curve.py       samples -> joules with an uncertainty, as energy.py explains it (pure)
spans.py             idle and busy spans (pure)
"""
