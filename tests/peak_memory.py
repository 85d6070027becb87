"""The most memory that a process had, as the process itself prints it.

`ru_maxrss` would not do: a child inherits that of the process it was started by, here pytest's.
"""

PEAK_KIB = (
    "next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM'))"
)
"""An expression for the end of a program given to `python -c`."""
