import warnings
from types import SimpleNamespace

from edgesr.engine.timing_cache import TimingCache


class Config:
    """The timing-cache calls of a builder configuration, with a header that must match."""

    def __init__(self, header=b"orin"):
        self.header = header
        self.cache = None

    def create_timing_cache(self, data):
        return SimpleNamespace(serialize=lambda: data or self.header + b" timings", data=data)

    def set_timing_cache(self, cache, ignore_mismatch):
        assert ignore_mismatch is False
        if cache.data and not cache.data.startswith(self.header):
            return False
        self.cache = cache
        return True

    def get_timing_cache(self):
        return self.cache


def test_the_name_depends_on_content_board_and_version(tmp_path):
    names = {
        TimingCache.of(onnx, board, version, tmp_path).path
        for onnx in ("a", "b")
        for board in ("c", "d")
        for version in ("tensorrt 10.3", "tensorrt 10.16")
    }
    assert len(names) == 8


def test_cold_then_warm(tmp_path):
    cache = TimingCache.of("a", "b", "c", tmp_path / "new")
    config = Config()
    assert cache.attach(config) == "cold"
    cache.keep(config)
    assert cache.path.read_bytes() == b"orin timings"
    assert cache.attach(Config()) == "warm"


def test_timings_of_another_device_are_not_used(tmp_path):
    cache = TimingCache.of("a", "b", "c", tmp_path)
    cache.path.write_bytes(b"thor timings")
    config = Config()
    assert cache.attach(config) == "cold"
    assert config.cache.data == b""


def test_a_damaged_file_is_as_none(tmp_path):
    """TensorRT returns no cache then, and takes none."""

    class Strict(Config):
        def create_timing_cache(self, data):
            return super().create_timing_cache(data) if not data or b"timings" in data else None

    cache = TimingCache.of("a", "b", "c", tmp_path)
    cache.path.write_bytes(b"orin tim")
    config = Strict()
    assert cache.attach(config) == "cold"
    cache.keep(config)
    assert cache.path.read_bytes() == b"orin timings"


def test_a_builder_that_keeps_no_timings_is_believed(tmp_path):
    class NoOp(Config):
        def set_timing_cache(self, cache, ignore_mismatch):
            warnings.warn("timing caches are no-ops", DeprecationWarning, stacklevel=2)
            return True

    assert TimingCache.of("a", "b", "c", tmp_path).attach(NoOp()) == "unsupported"
    assert TimingCache.of("a", "b", "c", tmp_path).attach(object()) == "unsupported"
