"""Pictures spread over the machines of a Ray cluster, the extra `[ray]`.

Ray starts the workers, hands out the work and does again what a lost worker had. Files travel as
bytes, so the machines need no common disk: they are read and written where the command runs.
"""
