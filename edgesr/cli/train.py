"""`edgesr train`: train a super-resolution network on a folder of pictures."""

from edgesr.cli._training import run
from edgesr.cli._training_options import TrainingOptions, with_training_options


@with_training_options
def command(options: TrainingOptions) -> None:
    """Train a network on a folder of high-resolution (HR) pictures."""
    run(options.config(), options.as_json)
