"""Measuring latency, power and energy per image, and the report of it.

config.py, inputs.py         what is asked for; pictures that go in
subject.py                   a network, and how one sample of it is timed
environment.py               the machine: what it is, how it is set, before and after
protocol.py                  the run itself: idle, load, warm-up, rounds -> Recording
recording.py, raw_files.py   what a run leaves: run.json, latencies.csv, power.csv, pictures/
packed.py                    a table that was compressed (.xz), read as it is
statistics.py, validity.py   percentiles; throttling and what else spoils a run (pure)
result.py                    Recording -> result.json, whose schema is result.schema.json (pure)
plots.py, page.py            power over time, latency histogram, report.html (pure)
report.py                    raw files -> every other file of the folder, byte for byte
compare.py                   two runs side by side, and what is noise (pure)
text.py                      the tables of the terminal (pure)
"""
