"""What a computation will take, estimated from a spec alone, so that heavy work can be kept off the event loop.

The figures are those of one core of a small server; they are right within a factor of three, which is enough to tell
microseconds from seconds.
"""

from math import ceil, log2

from engine import OPTIMIZERS, Network, Spec
from engine.along import PLACES
from engine.maps import MOST_POINTS
from engine.probes import CHECKED, CONTOUR_EXAMPLES, GRID, POINTS

CHECK_SECONDS = 0.5  # that a check of every gradient gets

_CALL = 0.7e-6  # one NumPy call on a small array
_FLOP = 3.5e-10  # one multiplication and addition of a matrix product
_ELEMENT = 6e-9  # one activation with its slope
_UPDATE = 6e-9  # one parameter of an update


def _passes(spec: Spec, examples: int, calls: float, flops: int) -> float:
    cost, nodes = spec.network.cost, len(spec.network.nodes)
    numbers = flops * cost.multiplications * _FLOP + cost.activations * _ELEMENT
    return calls * nodes * _CALL + examples * numbers


def step_cost(spec: Spec) -> float:
    """Seconds that one step takes."""
    examples = min(spec.batch_size, spec.samples)
    one = _passes(spec, examples, calls=3, flops=3) + spec.network.size * _UPDATE
    if OPTIMIZERS[spec.optimizer].search:  # it runs the model about twice for each parameter that may move
        one += 2 * spec.network.size * _passes(spec, examples, calls=1.5, flops=1)
    return one


def rerun_cost(spec: Spec, examples: int | None = None) -> float:
    """Seconds that running the model once takes, on a mini-batch or on so many examples."""
    return _passes(spec, min(spec.batch_size if examples is None else examples, spec.samples), calls=1.5, flops=1)


def look_cost(spec: Spec) -> float:
    """Seconds that measuring a state takes: losses over all examples, and one step's gradients."""
    return 60e-6 + _passes(spec, spec.samples, calls=3, flops=1) + step_cost(spec)


def probe_cost(kind: str, spec: Spec) -> float:
    """Seconds that a question of this kind takes, one of nudge, check, slice, contour, wishes, again, paths and plane:
    mostly reruns."""
    return {
        "nudge": 6 * rerun_cost(spec),
        "check": min(CHECK_SECONDS, 2 * min(CHECKED, spec.network.size) * rerun_cost(spec)),
        "slice": POINTS * rerun_cost(spec) + 3 * look_cost(spec),
        "contour": min(1.0, GRID**2 * rerun_cost(spec, CONTOUR_EXAMPLES)),
        "again": PLACES * (rerun_cost(spec) + min(0.5 / PLACES, rerun_cost(spec, spec.samples))) + 3 * look_cost(spec),
        "paths": 6 * rerun_cost(spec) + look_cost(spec) + 1e-6 * spec.network.size + 100e-6,
        "plane": rerun_cost(spec, MOST_POINTS**2) + 2e-7 * MOST_POINTS**2 * spec.network.sizes[-1],
        "wishes": spec.batch_size * (rerun_cost(spec, 1) + 100e-6),
    }[kind]


def stride_for(spec: Spec, step: int, points: int) -> int:
    """Every how many steps a run at `step` is sampled: a power of two, so that at most `points` points come of it.

    Sampling takes no more time than training, except where both take none to speak of.
    """
    stride = max(1, step / points)
    if look_cost(spec) > 2e-3:
        stride = max(stride, look_cost(spec) / step_cost(spec))
    return 1 << ceil(log2(stride))


def data_cost(spec: Spec) -> float:
    """Seconds that drawing the examples takes the first time."""
    return spec.samples * max(2, spec.raw_inputs) * 5e-8


def bytes_cost(size: int) -> float:
    """Seconds that so many bytes take to be packed or unpacked, with their checksum."""
    return 2e-9 * size


def decode_cost(size: int) -> float:
    """Seconds that a JSON text of so many bytes takes to be decoded."""
    return 1e-8 * size


def given_cost(size: int) -> float:
    """Seconds that the numbers in a JSON text of so many bytes take to be checked."""
    return 2e-8 * size


def told_cost(spec: Spec) -> float:
    """Seconds that a spec takes to be told: it may hold a hundred thousand given numbers."""
    given = len(spec.parameters or ()) + (spec.samples * spec.raw_inputs if spec.data else 0)
    return 1e-7 * given


def trace_numbers(network: Network, examples: int) -> int:
    """How many numbers the trace of so many examples holds: z, da, dz of every unit, and all that comes after a z."""
    of_one = 3 * sum(network.sizes) + network.inputs + network.cost.activations
    return 3 * network.size + examples * of_one


def trace_cost(network: Network, examples: int) -> float:
    """Seconds that computing and telling such a trace takes."""
    flops = 3 * network.cost.multiplications * examples
    return 60e-6 + flops * _FLOP + 7e-8 * trace_numbers(network, examples)
