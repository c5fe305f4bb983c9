"""Timing side by side: every contender takes its turn in every round, so that a busy machine is busy for all alike.

Processor time of this process, all its threads together: what other programs take meanwhile is not counted.
"""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

RESULTS = Path(__file__).parent / "results"
Step = Callable[[], object]
SAMPLE = 0.004  # seconds that one contender's turn should last
LONGEST = 0.3


@dataclass(frozen=True)
class Claim:
    """A figure, beside what is promised of it if anything is."""

    what: str
    value: float
    unit: str
    promised: float | None = None
    at_least: bool = False

    @property
    def kept(self) -> bool | None:
        """Whether the promise holds here; None if there is none."""
        if self.promised is None:
            return None
        return self.value >= self.promised if self.at_least else self.value <= self.promised

    @property
    def line(self) -> str:
        """A row of `table`."""
        promise = "" if self.promised is None else f"at {'least' if self.at_least else 'most'} {self.promised:,g}"
        kept = {None: "", True: "yes", False: "**no**"}[self.kept]
        return f"| {self.what} | {figure(self.value)} {self.unit} | {promise} | {kept} |"


def table(claims: Iterable[Claim]) -> list[str]:
    """Figures beside what is promised, in Markdown."""
    return ["| what | here | promised | kept |", "| --- | ---: | ---: | --- |", *(claim.line for claim in claims)]


def figure(value: float) -> str:
    """Three digits, no more of them after the point than that takes."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def told(claims: Sequence[Claim]) -> list[dict[str, object]]:
    """The same for JSON."""
    return [vars(claim) | {"kept": claim.kept} for claim in claims]


def publish(name: str, title: str, claims: Sequence[Claim], *notes: str) -> None:
    """Print the figures and write them into results/ as Markdown and JSON."""
    where = machine()
    text = "\n".join([f"# {title}", "", sentence(where), "", *notes, *([""] if notes else []), *table(claims), ""])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    found = {"machine": where, "claims": told(claims)}
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(text)


def sentence(where: Mapping[str, str]) -> str:
    """The machine in a line."""
    return ", ".join(f"{name} {value}" for name, value in where.items()) + "."


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


def processor_seconds(pid: int) -> float:
    """Processor time that another process has used, in ticks of usually 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
