"""The engine of the Backprop Playground: NumPy alone, every number of backpropagation in reach.

from engine import Spec, advance, start, trace
state = advance(start(Spec.make(dataset="xor")), 100).state
trace(state).layers[0].dW
"""

from engine.activations import ACTIVATIONS
from engine.datasets import DATASETS
from engine.edits import Edit, apply, edits_from, replay
from engine.evaluation import Metrics, evaluate, predict
from engine.examples import Examples, examples_of
from engine.features import FEATURES
from engine.initializers import INITIALIZERS
from engine.losses import LOSSES
from engine.maps import unit_maps
from engine.network import Network
from engine.operations import OPERATIONS
from engine.optimizers import OPTIMIZERS
from engine.packing import CorruptState, pack, unpack
from engine.penalties import PENALTIES
from engine.program import Program, program
from engine.quantity import Quantity
from engine.schedules import SCHEDULES
from engine.spec import FIELDS, LIMITS, CustomData, Limits, Spec, SpecError
from engine.state import Divergence, RunState, start
from engine.tracing import LayerTrace, Trace, trace, trace_of
from engine.training import Progress, advance

__all__ = [
    "ACTIVATIONS",
    "DATASETS",
    "FEATURES",
    "FIELDS",
    "INITIALIZERS",
    "LIMITS",
    "LOSSES",
    "OPERATIONS",
    "OPTIMIZERS",
    "PENALTIES",
    "SCHEDULES",
    "CorruptState",
    "CustomData",
    "Divergence",
    "Edit",
    "Examples",
    "LayerTrace",
    "Limits",
    "Metrics",
    "Network",
    "Program",
    "Progress",
    "Quantity",
    "RunState",
    "Spec",
    "SpecError",
    "Trace",
    "advance",
    "apply",
    "edits_from",
    "evaluate",
    "examples_of",
    "pack",
    "predict",
    "program",
    "replay",
    "start",
    "trace",
    "trace_of",
    "unit_maps",
    "unpack",
]
