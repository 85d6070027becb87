"""What a run needs to go on exactly where it stopped: one file, replaced atomically.

The crops of a step follow from the seed and the step, so no generator's state is kept.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from edgesr.decode import MalformedError
from edgesr.errors import ConfigError, EdgesrError, WeightsError, shell
from edgesr.files import write_bytes
from edgesr.models.checkpoint import check_tensors
from edgesr.models.torch_file import check_torch_file
from edgesr.train.config import TrainConfig
from edgesr.train.optimizer import Average

FORMAT = "edgesr-checkpoint/1"
_FIXED = ("model", "scale", "optimizer")  # what the tensors of a checkpoint belong to


@dataclass
class TrainingState:
    """A run in progress; everything here goes into the checkpoint.

    Attributes:
        network: the weights being trained.
        optimizer: Adam's moments.
        average: the averaged weights.
        step: optimizer steps taken.
        elapsed_s: wall time over all invocations.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    average: Average
    step: int = 0
    elapsed_s: float = 0.0

    def save(self, path: Path, config: TrainConfig) -> None:
        """Write the checkpoint; the one before it stays until the new one is whole.

        Raises:
            EdgesrError: it cannot be written; the one before it is still there.
        """
        content = {
            "format": FORMAT,
            "run": {name: getattr(config, name) for name in _FIXED},
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "network": self.network.state_dict(),
            "average": self.average.values,
            "optimizer": self.optimizer.state_dict(),
        }
        # By way of memory: torch's own writer says nothing that can be told when the disk is full.
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_bytes(path, buffer.getvalue())

    def load(self, path: Path, config: TrainConfig) -> None:
        """Take over the state in `path`.

        Raises:
            WeightsError: no checkpoint, or a damaged one.
            ConfigError: it belongs to another network or optimizer.
        """
        content = _read(path)
        try:
            self._take(content, path, config)
        except EdgesrError:
            raise
        except Exception as error:  # a value of any other type can fail in any way
            raise WeightsError("is a damaged checkpoint", where=path) from error

    def _take(self, content: dict[str, Any], path: Path, config: TrainConfig) -> None:
        for name in _FIXED:
            value = content["run"][name]
            if value != getattr(config, name):
                raise ConfigError(
                    f"the run has {name} {value}, not {getattr(config, name)}",
                    where=path,
                    fix=f"--{name} {shell(str(value))}, or another -o",
                )
        check_tensors(content["network"], path)
        check_tensors({f"average {n}": kept for n, kept in enumerate(content["average"])}, path)
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.average.load(content["average"])
        self.step, self.elapsed_s = int(content["step"]), float(content["elapsed_s"])


def _read(path: Path) -> dict[str, Any]:
    try:
        check_torch_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"cannot be read ({error.strerror})", where=path) from error
    except MalformedError as error:
        raise WeightsError(f"is a damaged checkpoint ({error})", where=path) from error
    except Exception as error:  # a damaged pickle can fail in any way
        raise WeightsError("is a damaged checkpoint", where=path) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise WeightsError(
            "is not a checkpoint of a run",
            where=path,
            fix="--weights FILE starts a new run from weights",
        )
    return content
