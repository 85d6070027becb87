"""Measuring over the power modes of a board, networks and tile sizes.

board_modes.py   the board's modes: read, asked, set
mode_guard.py    a process of its own that puts mode and clocks back, however the sweep ends
quality.py       dB of each network, with where it is from
sweep.py         the runs, one bench for each mode and tile size
record.py        sweep.json: what was asked and which runs there are
result.py        from the runs to figures, and the best network within a budget; pure
plot.py, page.py, text.py   the report
"""
