"""The order in which the files of tests begin: those that take longest first.

With several processes (`-n 2 --dist loadfile --no-loadscope-reorder`) a long file that comes last
leaves the others idle; short ones fill the end evenly. Seconds of CPU, measured on two x86 cores.
"""

from typing import Any

HEAVY = (
    "tests/test_packaging.py",
    "tests/test_docs.py",
    "tests/export/test_exporter.py",
    "tests/export/test_int8.py",
    "tests/sweep/test_sweep.py",
    "tests/cli/test_chain.py",
    "tests/sweep/test_mode_guard.py",
    "tests/export/test_every_network_opens.py",
    "tests/cli/test_bench_command.py",
    "tests/engine/test_plugin.py",
    "tests/export/test_fp16.py",
    "tests/engine/test_student_engines.py",
    "tests/cli/test_train_processes.py",
    "tests/benchmarks/test_training_tables.py",
    "tests/serve/test_serve_begin_and_end.py",
    "tests/serve/test_serve_load.py",
    "tests/video/test_resume.py",
    "tests/cli/test_upscale_many.py",
    "tests/models/test_rival_export.py",
    "tests/scan/test_plugin_kernel.py",
    "tests/benchmarks/test_tensorrt_page.py",
    "tests/live/test_endings.py",
    "tests/live/test_command.py",
    "tests/live/test_shown.py",
    "tests/live/test_rtsp.py",
    "tests/export/test_mixer.py",
    "tests/scan/test_fused.py",
    "tests/engine/test_rewrite.py",
    "tests/power/test_log_energy.py",
    "tests/hostile/test_pictures.py",
    "tests/train/test_loop.py",
    "tests/serve/test_serve_page.py",
    "tests/imaging/test_metadata.py",
    "tests/runtime/test_flat_areas.py",
)
"""A file that is not named here is short; one that is gone fails tests/test_order.py."""


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Put the tests of long files first, each file's in their own order."""
    place = {name: number for number, name in enumerate(HEAVY)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(HEAVY)))
