"""The engine of the Backprop Playground: NumPy alone, every number of backpropagation in reach.

from backprop_playground.engine import Spec, advance, start, trace
state = advance(start(Spec.make(dataset="xor")), 100).state
trace(state).layers[0].dW
"""

from typing import Any

from engine import health, probes, receipts
from engine.activations import ACTIVATIONS
from engine.checking import check, grade
from engine.datasets import DATASETS
from engine.diagnosis import Diagnosis, diagnose
from engine.edits import Edit, apply, edits_from, replay
from engine.evaluation import Metrics, evaluate, outputs_of, predict
from engine.examples import Examples, examples_of
from engine.features import FEATURES
from engine.graph import Graph, graph
from engine.health import gradient_norms
from engine.health import health as layer_health
from engine.initializers import INITIALIZERS
from engine.losses import LOSSES
from engine.maps import Plane, plane, unit_maps
from engine.network import Network
from engine.operations import OPERATIONS
from engine.optimizers import OPTIMIZERS
from engine.packing import CorruptState, pack, unpack
from engine.penalties import PENALTIES
from engine.probes import check_all as gradient_check
from engine.probes import contour, nudge, slice_, wishes
from engine.program import Program, program
from engine.quantity import Quantity
from engine.receipts import receipt
from engine.scalars import graph_of
from engine.schedules import SCHEDULES
from engine.spec import FIELDS, LIMITS, UNLIMITED, CustomData, Limits, Spec, SpecError
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
    "UNLIMITED",
    "CorruptState",
    "CustomData",
    "Diagnosis",
    "Divergence",
    "Edit",
    "Examples",
    "Graph",
    "LayerTrace",
    "Limits",
    "Metrics",
    "Network",
    "Plane",
    "Program",
    "Progress",
    "Quantity",
    "RunState",
    "Spec",
    "SpecError",
    "Trace",
    "advance",
    "apply",
    "check",
    "contour",
    "diagnose",
    "edits_from",
    "evaluate",
    "examples_of",
    "grade",
    "gradient_check",
    "gradient_norms",
    "graph",
    "graph_of",
    "health",
    "layer_health",
    "nudge",
    "outputs_of",
    "pack",
    "plane",
    "predict",
    "probes",
    "program",
    "receipt",
    "receipts",
    "replay",
    "slice_",
    "start",
    "trace",
    "trace_of",
    "unit_maps",
    "unpack",
    "wishes",
]


def __getattr__(name: str) -> Any:
    """The version, looked up only when it is asked for."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("backprop-playground")
        except PackageNotFoundError:  # the folder alone, without an installation
            return "unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
