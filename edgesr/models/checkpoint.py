"""Weights in and out of files: safetensors, and torch files without running what they hold.

A torch file is a pickle and a pickle is a program, so only plain tensors are ever read from one.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from edgesr.decode import MalformedError
from edgesr.errors import Argument, ConfigError, WeightsError
from edgesr.files import open_regular, utf8_path, utf8_text, write_bytes
from edgesr.models.network import SRNetwork
from edgesr.models.registry import Network, all_networks, get_network
from edgesr.models.torch_file import check_torch_file
from edgesr.weights import shipped

WRAPPERS = ("params_ema", "params", "state_dict")  # where training codes put the state, best first
DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
"""Element types of weights; values are converted to float32."""
MAX_VALUES = 1 << 26
"""Most values of a checkpoint that is read, 268 MB in float32; the teacher has 1.3 million."""
SHOWN = 3  # keys named in a message, of each kind


def load_network(name: str, scale: int, weights: Path | None) -> SRNetwork:
    """Build a network and fill it from a file.

    Args:
        name: a configuration (`student`) or a family with hyper-parameters.
        scale: factor between input and output sides.
        weights: the checkpoint; None for the shipped one. A network without any state, such as
            bicubic, needs no file.

    Returns:
        The network on the CPU, in float32 and eval mode.

    Raises:
        ConfigError: no such network, or not at this scale.
        ModelError: `weights` is None and nothing is shipped for this network and scale.
        WeightsError: the file cannot be read or does not fit.
    """
    known = get_network(name)
    own = _shapes(_without_memory(known, scale).state_dict())
    if not own and weights is None:
        return known.module(scale).eval()
    path = shipped(name, scale, "safetensors") if weights is None else weights
    _check_metadata(path, name, scale)
    state = load_state(path)
    # The name may come from the file: no memory is taken for it before the shapes agree.
    check_shapes(own, state, f"{name} x{scale}", path)
    network = known.module(scale)
    fill(network, state, name, path)
    return network.eval()


def fill(network: SRNetwork, state: Mapping[str, Tensor], name: str, path: Path) -> None:
    """Copy `state` into `network`; every key and every shape must agree.

    Args:
        network: receives the values.
        state: as from `load_state`.
        name: what the network is called in messages.
        path: where `state` came from, for messages.

    Raises:
        WeightsError: keys are missing, unexpected or misshaped, or a value is not finite.
    """
    check_shapes(_shapes(network.state_dict()), state, f"{name} x{network.scale}", path)
    broken = [key for key, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise WeightsError(f"holds values that are not finite: {_first(broken)}", where=path)
    network.load_state_dict(dict(state))


def check_shapes(own: "Shapes", state: Mapping[str, Tensor], title: str, path: Path) -> None:
    """Compare a network's shapes with those of a state, without reading a value.

    Args:
        own: shapes of the network, by key.
        state: as from `load_state`.
        title: what the network is called in messages.
        path: where `state` came from, for messages.

    Raises:
        WeightsError: keys are missing, unexpected or misshaped.
    """
    given = _shapes(state)
    if own != given:
        raise WeightsError(
            f"does not fit {title}: {_difference(own, given)}", where=path, fix=_suggestion(given)
        )


def fill_body(
    network: SRNetwork, state: Mapping[str, Tensor], name: str, path: Path
) -> tuple[str, ...]:
    """Copy what fits from weights of the same network at another scale; the rest stays as it is.

    A network for another scale differs in the layers that enlarge. Training that starts from a
    body that is trained gets further in the same time (Lim et al., EDSR, 2017, section 3.4).

    Args:
        network: receives the values.
        state: as from `load_state`.
        name: what the network is called in messages.
        path: where `state` came from, for messages.

    Returns:
        The keys that were not copied.

    Raises:
        WeightsError: keys are missing or unexpected, nothing fits, or a value is not finite.
    """
    own, given = _shapes(network.state_dict()), _shapes(state)
    fresh = tuple(key for key in own if given.get(key) != own[key])
    if own.keys() != given.keys() or len(fresh) == len(own):
        fill(network, state, name, path)  # says what does not fit
    kept = network.state_dict()
    fill(network, {**state, **{key: kept[key] for key in fresh}}, name, path)
    return fresh


def load_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict from safetensors, or from a torch file that holds nothing but tensors.

    Torch files may wrap the state in `params_ema`, `params` or `state_dict`, taken in this order.

    Raises:
        WeightsError: the file is missing, damaged, or holds anything else.
    """
    try:
        if _is_safetensors(path):
            with utf8_path(path) as readable, safe_open(readable, framework="pt") as file:
                state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return check_tensors(state, path)
        check_torch_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old pickle protocols, which are refused or read
            content = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except OSError as error:
        raise WeightsError(f"cannot be read ({error.strerror})", where=path) from error
    except SafetensorError as error:
        raise WeightsError(f"is a damaged safetensors file ({error})", where=path) from error
    except Exception as error:  # a damaged pickle can fail in any way
        reason = f"{error}; " if isinstance(error, MalformedError) else ""
        raise WeightsError(
            "is no checkpoint that can be read safely "
            f"({reason}torch files must hold tensors only)",
            where=path,
            fix="save the bare state dict: torch.save(network.state_dict(), FILE)",
        ) from error
    return _unwrap(content, path)


def load_metadata(path: Path) -> dict[str, str]:
    """Return the text entries of a safetensors file; {} for a torch file, which has none.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        if not _is_safetensors(path):
            return {}
        with utf8_path(path) as readable, safe_open(readable, framework="pt") as file:
            return dict(file.metadata() or {})
    except OSError as error:
        raise WeightsError(f"cannot be read ({error.strerror})", where=path) from error
    except SafetensorError as error:
        raise WeightsError(f"is a damaged safetensors file ({error})", where=path) from error


def save_weights(path: Path, network: SRNetwork, name: str, metadata: dict[str, str]) -> None:
    """Write the state of `network` as safetensors, atomically.

    Args:
        path: a .safetensors file; its folder must exist.
        network: what to save.
        name: its name in the registry, kept in the file's metadata with the scale.
        metadata: further text entries, such as the recipe and the data set.

    Raises:
        ConfigError: the folder cannot be written, or the file does not end in .safetensors.
        EdgesrError: the disk is full.
    """
    if path.suffix != ".safetensors":
        raise ConfigError("weights are written as .safetensors", where=path)
    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    told = {key: utf8_text(text) for key, text in metadata.items()}  # the data set is a path
    notes = {**told, "format": "pt", "network": name, "scale": str(network.scale)}
    write_bytes(path, save(state, notes))


def _is_safetensors(path: Path) -> bool:
    """Tell by content: eight bytes of header length, then JSON.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with open_regular(path) as file:
        return file.read(9)[8:] == b"{"


def _unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        wrapped = next((content[key] for key in WRAPPERS if key in content), content)
        if isinstance(wrapped, Mapping) and wrapped:
            state = dict(wrapped)
            if all(isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()):
                return check_tensors(state, path)
    raise WeightsError(
        f"holds no state dict, neither bare nor under {', '.join(WRAPPERS)}", where=path
    )


def check_tensors(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return a state whose tensors are plain arrays of float64, float32, float16 or bfloat16.

    Raises:
        WeightsError: one is quantised, sparse, without values, of another type (float8, say), or
            they are more values than any network here has.
    """
    for key, value in state.items():
        if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
            kind = "quantised" if value.is_quantized else "sparse or without values"
            raise WeightsError(f"{key} is {kind}; weights must be plain arrays", where=path)
        if value.dtype not in DTYPES:
            allowed = ", ".join(str(one).removeprefix("torch.") for one in DTYPES)
            given = str(value.dtype).removeprefix("torch.")
            raise WeightsError(f"{key} is {given}; weights must be {allowed}", where=path)
    if (values := sum(value.numel() for value in state.values())) > MAX_VALUES:
        raise WeightsError(f"holds {values} values, more than {MAX_VALUES}", where=path)
    return state


def _without_memory(known: Network, scale: int) -> SRNetwork:
    """Build a network whose tensors have shapes and no values."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return known.module(scale)


def _check_metadata(path: Path, name: str, scale: int) -> None:
    """Refuse a file that says it belongs elsewhere: shapes alone do not tell, say, a skip."""
    metadata = load_metadata(path)
    owner, owner_scale = metadata.get("network", name), metadata.get("scale", str(scale))
    if owner_scale != str(scale):
        raise WeightsError(
            f"holds {owner} x{owner_scale}, not x{scale}",
            where=path,
            fix=Argument("scale", owner_scale),
        )
    try:
        same = get_network(owner).summary == get_network(name).summary
    except ConfigError:
        return  # a name of another program or another time: the shapes decide
    if not same:
        raise WeightsError(f"holds the weights of {owner}, not of {name}", where=path)


Shapes = dict[str, tuple[int, ...]]


def _shapes(state: Mapping[str, Tensor]) -> Shapes:
    return {key: tuple(value.shape) for key, value in state.items()}


def _difference(own: Shapes, given: Shapes) -> str:
    missing = [key for key in own if key not in given]
    unexpected = [key for key in given if key not in own]
    misshaped = [
        f"{key} {given[key]} instead of {shape}"
        for key, shape in own.items()
        if key in given and given[key] != shape
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "misshaped": misshaped}
    return "; ".join(f"{kind} {_first(keys)}" for kind, keys in kinds.items() if keys)


def _first(keys: list[str]) -> str:
    more = len(keys) - SHOWN
    return ", ".join(keys[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _suggestion(given: Shapes) -> str | None:
    """Name the registered configurations whose keys and shapes are exactly those of the file."""
    fitting = [
        f"{known.name} at scale {scale}"
        for known in all_networks()
        for scale in known.scales
        if _shapes(_without_memory(known, scale).state_dict()) == given
    ]
    return f"the file fits {' or '.join(fitting)}" if fitting else None
