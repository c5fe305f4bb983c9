"""Timing side by side: every contender takes its turn in every round, so that a busy machine is busy for all alike.

Processor time of this process, all its threads together: what other programs take meanwhile is not counted.
"""

import os
import platform
from collections.abc import Callable, Mapping
from importlib import metadata
from statistics import median
from time import process_time

import numpy as np

Step = Callable[[], object]
SAMPLE = 0.004  # seconds that one contender's turn should last
LONGEST = 0.3


def alternately(contenders: Mapping[str, Step], rounds: int = 41) -> dict[str, float]:
    """Median processor seconds of one call of each, over that many rounds in which each takes a turn."""
    calls = {name: _calls(step) for name, step in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, step in contenders.items():
            times[name].append(_turn(step, calls[name]) / calls[name])
    return {name: median(values) for name, values in times.items()}


def _calls(step: Step) -> int:
    """How many calls fill a turn, after a warm-up."""
    once = min(_turn(step, 1) for _ in range(5))
    return max(1, int(SAMPLE / max(once, 1e-9))) if once < LONGEST else 1


def _turn(step: Step, calls: int) -> float:
    start = process_time()
    for _ in range(calls):
        step()
    return process_time() - start


def machine() -> dict[str, str]:
    """What the figures were measured on: processor, Python, and the versions that matter."""
    found = {"processor": _processor(), "cores": str(os.cpu_count()), "python": platform.python_version()}
    for package in ("numpy", "torch", "scikit-learn", "autograd", "micrograd"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found | {"load": f"{os.getloadavg()[0]:.1f}", "blas threads": os.environ.get("OPENBLAS_NUM_THREADS", "all")}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def straight_line(x: list[float], y: list[float]) -> tuple[float, float, list[float]]:
    """y = a + b x by least squares of relative errors: a, b, and each point's departure as a share of the line."""
    slope, start = np.polyfit(x, y, 1, w=1 / np.array(y))
    fitted = start + slope * np.array(x)
    return float(start), float(slope), [float(share) for share in np.array(y) / fitted - 1]
