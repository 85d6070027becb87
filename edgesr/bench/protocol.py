"""The run of a bench: idle, load, then rounds in which every network has a window.

Rounds interleave the networks, each round beginning with another one, so that warming up, fans and
other programs hit all alike. Before each window the network is called a few times uncounted.
"""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from edgesr.bench.config import CONTROL, BenchConfig, Wanted
from edgesr.bench.control import open_control
from edgesr.bench.environment import Machine, MachineState, read_machine, read_state
from edgesr.bench.inputs import Input, shown_picture
from edgesr.bench.power_source import open_power
from edgesr.bench.recording import (
    BenchModel,
    BenchSettings,
    Latencies,
    Power,
    Recording,
    Span,
    SpanKind,
)
from edgesr.bench.subject import BenchSubject, prepare
from edgesr.bench.validity import clock_above_mode
from edgesr.errors import NothingYetError
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import Picture
from edgesr.power.sampler import PowerSampler
from edgesr.runtime.select import open_session
from edgesr.runtime.session import Session

_BLINK_S = 0.05
INPUT_PICTURE = "input.png"


@dataclass(frozen=True)
class BenchHooks:
    """What a run asks and tells while it goes on.

    Attributes:
        wants_stop: whether to end after the current sample.
        step: told before each stretch of work what it is.
        say: told in a line what the user should know at once.
    """

    wants_stop: Callable[[], bool] = lambda: False
    step: Callable[[str], None] = lambda note: None
    say: Callable[[str], None] = lambda line: None


@dataclass
class _Run:
    """A run under way; times are seconds since `zero_s` of the monotonic clock."""

    config: BenchConfig
    source: Input
    hooks: BenchHooks
    zero_s: float = field(default_factory=time.monotonic)
    models: list[BenchModel] = field(default_factory=list)
    subjects: list[BenchSubject] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    rows: list[tuple[float, ...]] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    is_without_power: bool = False

    def now(self) -> float:
        return round(time.monotonic() - self.zero_s, 6)


def run(
    config: BenchConfig, source: Input, hooks: BenchHooks
) -> tuple[Recording, dict[str, bytes]]:
    """Measure.

    Args:
        config: what is asked for.
        source: the pictures, from `config.input`.
        hooks: for progress and for stopping.

    Returns:
        The recording, and the PNG files of `pictures/` by name.

    Raises:
        EdgesrError: a network cannot be loaded or gives broken pictures.
        NothingYetError: the run was stopped before its first measured sample.
    """
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    machine, before = read_machine(), read_state()
    if (words := clock_above_mode(machine, before)) is not None:
        hooks.say(f"this run will be INVALID: {words} (sudo nvpmodel -m ID sets the mode anew)")
    with ExitStack() as stack:
        now = _Run(config, source, hooks)
        sampler = open_power(stack, config, hooks.say)
        now.is_without_power = sampler.failure is not None
        _idle(now)
        _load_all(now, stack)
        is_whole = _rounds(now, sampler)
        after = read_state()
        sampler.stop()
    if not now.rows:
        raise NothingYetError("stopped before the first measured sample; nothing is written")
    return _recording(now, sampler, started, machine, before, after, not is_whole), now.pictures


def _idle(now: _Run) -> None:
    """Wait, as the baseline of what power costs above idling; needless without power."""
    if now.is_without_power:
        return
    now.hooks.step("idle")
    begin = now.now()
    while now.now() - begin < now.config.idle_s and not now.hooks.wants_stop():
        time.sleep(_BLINK_S)
    now.spans.append(Span(SpanKind.IDLE, begin, now.now()))


def _load_all(now: _Run, stack: ExitStack) -> None:
    config = now.config
    shown = shown_picture(now.source)
    now.pictures[INPUT_PICTURE] = _png(shown)
    for wanted in config.wanted:
        _load(now, stack, wanted, lambda wanted=wanted: _open(wanted, config), shown)  # type: ignore[misc]
    if now.models and not any(model.is_control for model in now.models):
        scale = now.models[0].scale
        _load(now, stack, Wanted(CONTROL), lambda: open_control(scale, config.threads), shown)


def _open(wanted: Wanted, config: BenchConfig) -> Session:
    return open_session(wanted.model, wanted.backend, config.scale, config.threads)


def _load(
    now: _Run, stack: ExitStack, wanted: Wanted, opens: Callable[[], Session], shown: Picture
) -> None:
    """Open a network and do its first sample, both timed apart from all others."""
    if now.hooks.wants_stop():
        return
    name = wanted.model
    label = _label(name, [model.label for model in now.models])
    now.hooks.step(f"load {label}")
    begin = now.now()
    session = opens()
    load_ms = 1e3 * (now.now() - begin)
    stack.callback(session.close)
    subject = prepare(session, now.source, now.config.batch, wanted.tile)
    first = subject.sample(0)
    picture = f"{re.sub(r'[^A-Za-z0-9_.-]', '-', label)}.png"
    now.pictures[picture] = _png(subject.enlarge(shown))
    path = Path(name)
    now.subjects.append(subject)
    now.models.append(
        BenchModel(
            label=label,
            is_control=name == CONTROL,
            network=session.model,
            backend=session.backend,
            file=path.name if path.suffix else None,
            scale=session.scale,
            tile=session.tile if wanted.tile is None else wanted.tile,
            images=subject.images,
            runs=subject.runs,
            load_ms=round(load_ms, 4),
            first_image_ms=round(first.end_to_end_ms, 4),
            picture=picture,
            sha256=_sha256(session),
        )
    )
    now.spans.append(Span(SpanKind.LOAD, begin, now.now(), len(now.models) - 1))


def _rounds(now: _Run, sampler: PowerSampler) -> bool:
    """Measure all rounds; return whether nothing was left out."""
    count = len(now.models)
    numbers = [0] * count
    for number, samples in enumerate(now.config.samples_by_round):
        for place in range(count):
            model = (number + place) % count
            if not now.is_without_power and sampler.failure is not None:
                now.is_without_power = True
                now.hooks.say(f"no power is measured any more: {sampler.failure}")
            now.hooks.step(f"round {number + 1}, {now.models[model].label}")
            _warm_up(now, model, number)
            numbers[model] += _window(now, model, number, numbers[model], samples)
            if now.hooks.wants_stop():
                return False
    return True


def _warm_up(now: _Run, model: int, number: int) -> None:
    begin = now.now()
    done = 0
    while done < now.config.warmup and not now.hooks.wants_stop():
        now.subjects[model].sample(done)
        done += 1
    now.spans.append(Span(SpanKind.WARM_UP, begin, now.now(), model, number, done))


def _window(now: _Run, model: int, number: int, first: int, samples: int) -> int:
    """Measure one window; with power it lasts at least `window_s`. Return how many samples."""
    subject, stop = now.subjects[model], now.hooks.wants_stop
    least_s = 0.0 if now.is_without_power else now.config.window_s
    begin = at = now.now()
    done = 0
    while (done < samples or at - begin < least_s) and not stop():
        timing = subject.sample(first + done)
        device_ms = float("nan") if timing.device_ms is None else timing.device_ms
        now.rows.append((model, number, at, timing.end_to_end_ms, timing.latency_ms, device_ms))
        done += 1
        at = now.now()
    if done:
        now.spans.append(Span(SpanKind.MEASURED, begin, at, model, number, done))
    return done


def _recording(
    now: _Run,
    sampler: PowerSampler,
    started: str,
    machine: Machine,
    before: MachineState,
    after: MachineState,
    interrupted: bool,
) -> Recording:
    config, source = now.config, now.source
    samples = sampler.samples()
    return Recording(
        settings=BenchSettings(
            command=config.command,
            input=source.name,
            width=source.width,
            height=source.height,
            samples=config.samples,
            warmup=config.warmup,
            rounds=len(config.samples_by_round),
            window_s=config.window_s,
            idle_s=config.idle_s,
        ),
        started=started,
        interrupted=interrupted,
        machine=machine,
        before=before,
        after=after,
        models=tuple(now.models),
        spans=tuple(now.spans),
        power=Power(
            source=sampler.source,
            interval_s=sampler.interval_s,
            step_mw=sampler.step_mw,
            total=sampler.total,
            failure=sampler.failure,
            failed_reads=sampler.failed_reads,
        ),
        latencies=Latencies.from_rows(now.rows),
        samples=tuple(
            replace(sample, time_s=round(sample.time_s - now.zero_s, 6)) for sample in samples
        ),
        input_picture=INPUT_PICTURE,
    )


def _sha256(session: Session) -> str | None:
    """Return the hash of the file that runs, as its manifest states it and loading has checked."""
    manifest = getattr(session, "manifest", None)
    names = ("engine_sha256", "onnx_sha256")  # an engine's manifest has both
    return next((getattr(manifest, name) for name in names if hasattr(manifest, name)), None)


def _label(name: str, taken: list[str]) -> str:
    """Name of a network, or of its file; the second of a name gets `#2`."""
    base = Path(name).name
    number = 1 + sum(label.split("#")[0] == base for label in taken)
    return base if number == 1 else f"{base}#{number}"


def _png(picture: Picture) -> bytes:
    data, _ = encode(picture, format_for(".png"))
    return data
