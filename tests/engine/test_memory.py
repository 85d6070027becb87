import time

from edgesr.engine.memory import PERIOD_S, PeakMemory


def test_the_deepest_fall_counts(tmp_path):
    meminfo = tmp_path / "proc/meminfo"
    meminfo.parent.mkdir()

    def available(mib):
        meminfo.write_text(f"MemTotal: 99 kB\nMemAvailable: {mib * 1024} kB\n")

    available(1000)
    with PeakMemory(tmp_path) as memory:
        available(400)
        time.sleep(4 * PERIOD_S)
        available(900)
    assert memory.mib == 600


def test_without_meminfo_nothing_is_claimed(tmp_path):
    with PeakMemory(tmp_path) as memory:
        pass
    assert memory.mib is None


def test_this_machine_tells():
    with PeakMemory() as memory:
        pass
    assert memory.mib is not None
