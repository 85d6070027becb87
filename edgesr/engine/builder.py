"""TensorRT's builder: its configuration for a board, and one build after another of a network."""

from typing import Any

from edgesr.boards.board import Board
from edgesr.engine.attempts import OutOfMemoryError, is_out_of_memory
from edgesr.engine.network import ParsedNetwork, allow_fp16_by_flag
from edgesr.engine.progress import OnStep, watch
from edgesr.engine.stack import Stack, Typing
from edgesr.engine.timing_cache import TimingCache
from edgesr.errors import EngineError

MIB = 1 << 20


class EngineBuilder:
    """One build after another of the same network, each with a fresh configuration.

    Attributes:
        flags: builder flags of the last build.
        timing_cache: what the timing cache was to the last build.
    """

    def __init__(
        self,
        board: Board,
        stack: Stack,
        parsed: ParsedNetwork,
        precision: str,
        cache: TimingCache,
        on_step: OnStep,
    ) -> None:
        self._board, self._stack, self._parsed = board, stack, parsed
        self._fp16 = precision == "fp16"
        self._cache = cache
        self._on_step = on_step
        self.flags: tuple[str, ...] = ()
        self.timing_cache = "unsupported"

    def __call__(self, workspace_mib: int, level: int) -> bytes:
        """Build once.

        Raises:
            OutOfMemoryError: memory was short.
            EngineError: anything else.
        """
        config = self._config(workspace_mib, level)
        interrupted = watch(self._stack, config, self._on_step)
        messages = self._parsed.messages
        messages.errors.clear()
        try:
            plan = self._parsed.builder.build_serialized_network(self._parsed.network, config)
        except MemoryError as error:
            raise OutOfMemoryError("the process could not allocate") from error
        if interrupted.value:
            raise KeyboardInterrupt
        if plan is None:
            short = next(filter(is_out_of_memory, messages.errors), None)
            if short is not None:
                raise OutOfMemoryError(short.splitlines()[0])
            raise EngineError(
                f"TensorRT {self._stack.version} could not build it: {messages.first_error()}",
                where=self._board.title,
            )
        if self.timing_cache != "unsupported":
            self._cache.keep(config)
        return bytes(plan)

    def _config(self, workspace_mib: int, level: int) -> Any:
        trt, board = self._stack.module, self._board
        config = self._parsed.builder.create_builder_config()
        pools = trt.MemoryPoolType
        config.set_memory_pool_limit(pools.WORKSPACE, workspace_mib * MIB)
        self._limit_tactics(config)
        if board.tactic_dram_mib is not None and hasattr(pools, "TACTIC_DRAM"):
            config.set_memory_pool_limit(pools.TACTIC_DRAM, board.tactic_dram_mib * MIB)
        if hasattr(config, "builder_optimization_level"):
            config.builder_optimization_level = level
        config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # what the inspector reads
        config.clear_flag(trt.BuilderFlag.TF32)  # FP32 means FP32, not 10 bits of mantissa
        if self._fp16 and self._stack.typing is Typing.WEAK:
            parsed = self._parsed
            allow_fp16_by_flag(self._stack, parsed.network, parsed.node_types, config)
        if not board.is_jetson and hasattr(config, "num_compute_capabilities"):
            self._target(config)
        self.timing_cache = self._cache.attach(config)
        known = trt.BuilderFlag.__members__.items()
        self.flags = tuple(name for name, flag in known if config.get_flag(flag))
        return config

    def _limit_tactics(self, config: Any) -> None:
        """Let the builder take kernels only from the board's sources, of those it knows."""
        known = getattr(getattr(self._stack.module, "TacticSource", None), "__members__", {})
        sources = [int(known[name]) for name in self._board.tactic_sources if name in known]
        if sources and not config.set_tactic_sources(sum(1 << source for source in sources)):
            raise EngineError(
                f"TensorRT {self._stack.version} does not take the tactic sources "
                f"{', '.join(self._board.tactic_sources)}",
                where=self._board.title,
            )

    def _target(self, config: Any) -> None:
        """Name the GPUs to build for, where this TensorRT can build for absent ones."""
        kinds = self._stack.module.ComputeCapability
        names = ["SM" + value.replace(".", "") for value in self._board.compute_capabilities]
        config.num_compute_capabilities = len(names)
        for index, name in enumerate(names):
            if not hasattr(kinds, name) or not config.set_compute_capability(
                getattr(kinds, name), index
            ):
                raise EngineError(
                    f"{self._stack.name} {self._stack.version} cannot build for {name}",
                    where=self._board.title,
                )
