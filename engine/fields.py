"""The fields of a spec, one table entry each, and how large a run may be. Catalog, form, link and checks read these."""

from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from engine.activations import ACTIVATIONS
from engine.datasets import DATASETS
from engine.features import FEATURES
from engine.initializers import INITIALIZERS
from engine.losses import LOSSES
from engine.optimizers import OPTIMIZERS
from engine.penalties import PENALTIES
from engine.scaling import SCALINGS
from engine.schedules import SCHEDULES
from engine.wording import Words

Group = Literal["data", "network", "training"]
Kind = Literal[
    "choice", "choices", "integer", "number", "integers", "settings", "frozen", "parameters", "data", "layers"
]

CUSTOM = "custom"


@dataclass(frozen=True)
class Limits:
    """The largest run that may be asked for. They stay with the spec that was made under them."""

    hidden_layers: int = 8
    units: int = 256
    parameters: int = 120_000
    samples: int = 10_000
    custom_rows: int = 10_000
    custom_columns: int = 256
    custom_values: int = 250_000
    custom_outputs: int = 10
    frozen: int = 1_000
    searched: int = 1_000
    numbers: int = 30_000_000  # in the buffers of a step, of a network with images


LIMITS = Limits()  # of the service; the engine by itself has none
UNLIMITED = Limits(**dict.fromkeys(Limits.__dataclass_fields__, 10**9))


@dataclass(frozen=True)
class Field:
    """One field of a Spec, as the catalog, the form and the link show it. `live` ones change without a reset."""

    name: str
    title: Words
    group: Group
    kind: Kind
    default: Any
    sentence: Words
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """Minimum and maximum of a field that is a number."""
        return (-inf if self.minimum is None else self.minimum), (inf if self.maximum is None else self.maximum)


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("dataset", "Dataset", "data", "choice", "circle", "What there is to learn.", choices=(*DATASETS, CUSTOM)),
        Field(
            "samples",
            "Examples",
            "data",
            "integer",
            200,
            "How many examples there are, training and test together.",
            2,
            LIMITS.samples,
        ),
        Field("noise", "Noise", "data", "number", 0.1, "How far examples stray from the clean pattern.", 0, 1),
        Field(
            "test_share",
            "Test share",
            "data",
            "number",
            0.4,
            "Share of the examples kept back for testing; of your own, none up to 20 examples.",
            0,
            0.9,
        ),
        Field(
            "features",
            "Inputs",
            "data",
            "choices",
            None,
            "What the network is shown of each point.",
            choices=tuple(FEATURES),
        ),
        Field(
            "data",
            "My data",
            "data",
            "data",
            None,
            "Your own examples: x, rows or columns by name; y, a number, a label or a row each; task, names, targets "
            "and classes where they are not evident. Rows without a value are left out, or with missing 'fill' their "
            "inputs filled in; what was done is told.",
        ),
        Field(
            "scaling",
            "Scaling",
            "data",
            "choice",
            None,
            "Numbers far from 0 brought to mean 0 and spread 1 over the training rows; follows your own data if not "
            "given.",
            choices=tuple(SCALINGS),
        ),
        Field("hidden", "Hidden layers", "network", "integers", (4, 2), "Units in each hidden layer.", 1, LIMITS.units),
        Field(
            "activation",
            "Activation",
            "network",
            "choices",
            "tanh",
            "One for all hidden layers, or one for each.",
            choices=tuple(ACTIVATIONS),
        ),
        Field(
            "layers",
            "Layers",
            "network",
            "layers",
            None,
            "All hidden layers one by one, in place of the two above, such as "
            "'dense 8 tanh, layer_norm, dropout 0.2, dense 8 tanh, shortcut 1', or for images "
            "'conv2d 8 3x3 relu, max_pool 2'.",
        ),
        Field(
            "output_activation",
            "Output activation",
            "network",
            "choice",
            None,
            "Applied by the output layer; follows the task and the loss if not given.",
            choices=tuple(ACTIVATIONS),
        ),
        Field(
            "initializer",
            "Start",
            "network",
            "choice",
            "xavier_uniform",
            "Where the weights start.",
            choices=tuple(INITIALIZERS),
        ),
        Field(
            "parameters",
            "Starting parameters",
            "network",
            "parameters",
            None,
            "Explicit weights and biases in place of an initializer: {W, b} or a pair of them a layer, the layers of a "
            "trace, as they were at its step, or all numbers in a row.",
        ),
        Field("seed", "Seed", "network", "integer", 0, "Everything random follows from it.", 0, 2**32 - 1),
        Field(
            "loss",
            "Loss",
            "training",
            "choice",
            None,
            "How far off counts how much; follows the task if not given.",
            choices=tuple(LOSSES),
        ),
        Field(
            "optimizer",
            "Optimizer",
            "training",
            "choice",
            "sgd",
            "How a gradient becomes a step.",
            choices=tuple(OPTIMIZERS),
            live=True,
        ),
        Field(
            "optimizer_settings",
            "Optimizer settings",
            "training",
            "settings",
            None,
            "The optimizer's own numbers.",
            live=True,
        ),
        Field(
            "learning_rate", "Learning rate", "training", "number", 0.03, "How large a step is.", 1e-7, 100, live=True
        ),
        Field(
            "schedule",
            "Schedule",
            "training",
            "choice",
            "constant",
            "How the learning rate changes over steps.",
            choices=tuple(SCHEDULES),
            live=True,
        ),
        Field(
            "schedule_settings",
            "Schedule settings",
            "training",
            "settings",
            None,
            "The schedule's own numbers.",
            live=True,
        ),
        Field(
            "regularization",
            "Regularization",
            "training",
            "choice",
            "none",
            "Pulls weights towards zero.",
            choices=tuple(PENALTIES),
            live=True,
        ),
        Field(
            "regularization_rate",
            "Regularization rate",
            "training",
            "number",
            0.0,
            "How strongly it pulls.",
            0,
            10,
            live=True,
        ),
        Field(
            "batch_size",
            "Batch size",
            "training",
            "integer",
            10,
            "Examples in each step's mini-batch.",
            1,
            LIMITS.samples,
            live=True,
        ),
        Field(
            "frozen",
            "Frozen",
            "training",
            "frozen",
            (),
            "Parameters that training leaves alone: addresses, a kernel's (W1.2.1) for its weights; 'biases' for all.",
            live=True,
        ),
    )
}


def live() -> list[str]:
    """The fields that change without a new start."""
    return [name for name, field in FIELDS.items() if field.live]
