"""What is free: of the machine, of a container, of a container in a container."""

from pathlib import Path

import pytest

from edgesr.boards.free_memory import available_bytes

MIB = 1 << 20


def write(root: Path, files: dict[str, object]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")


def v2(folder: str, limit: object, taken: int, files: int = 0) -> dict[str, object]:
    return {
        f"{folder}/memory.max": limit,
        f"{folder}/memory.current": taken,
        f"{folder}/memory.stat": f"anon 5\ninactive_file {files}\nactive_file 7",
    }


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    write(tmp_path, {"proc/meminfo": f"MemTotal: 9 kB\nMemAvailable: {8000 * 1024} kB"})
    return tmp_path


def test_a_machine_without_groups(machine: Path) -> None:
    assert available_bytes(machine) == 8000 * MIB


def test_nothing_is_known(tmp_path: Path) -> None:
    assert available_bytes(tmp_path) is None


def test_a_group_without_a_bound(machine: Path) -> None:
    write(machine, {"proc/self/cgroup": "0::/a", **v2("sys/fs/cgroup/a", "max", 5)})
    assert available_bytes(machine) == 8000 * MIB


def test_pages_of_files_are_free(machine: Path) -> None:
    write(machine, {"proc/self/cgroup": "0::/a"})
    write(machine, v2("sys/fs/cgroup/a", 1000 * MIB, 700 * MIB, 200 * MIB))
    assert available_bytes(machine) == 500 * MIB


def test_a_group_around_it_counts_too(machine: Path) -> None:
    write(machine, {"proc/self/cgroup": "0::/a/b"})
    write(machine, v2("sys/fs/cgroup/a", 1000 * MIB, 900 * MIB))
    write(machine, v2("sys/fs/cgroup/a/b", 800 * MIB, 100 * MIB))
    assert available_bytes(machine) == 100 * MIB


def test_a_container_sees_its_group_as_the_topmost(machine: Path) -> None:
    """Its name is that of the host, where nothing lies here."""
    write(machine, {"proc/self/cgroup": "0::/docker/0123", **v2("sys/fs/cgroup", 512 * MIB, 0)})
    assert available_bytes(machine) == 512 * MIB


def test_more_is_taken_than_is_allowed(machine: Path) -> None:
    write(machine, {"proc/self/cgroup": "0::/", **v2("sys/fs/cgroup", 10, 20)})
    assert available_bytes(machine) == 0


def test_the_first_kind_of_groups(machine: Path) -> None:
    group = "sys/fs/cgroup/memory/a"
    write(machine, {"proc/self/cgroup": "5:cpu:/a\n4:hugetlb,memory:/a\n0::/"})
    write(
        machine,
        {
            f"{group}/memory.limit_in_bytes": 300 * MIB,
            f"{group}/memory.usage_in_bytes": 100 * MIB,
            f"{group}/memory.stat": f"inactive_file 1\ntotal_inactive_file {50 * MIB}",
        },
    )
    assert available_bytes(machine) == 250 * MIB


def test_this_machine_tells() -> None:
    free = available_bytes()
    assert free is not None
    assert free > 16 * MIB
