"""What the service tells its keeper: metrics for Prometheus, of all workers at once, and log lines as JSON on demand.

Tokens and whole run ids are in neither: a run's id is what opens it.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from time import time
from typing import Any

import orjson
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import Scope

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # the folder where workers leave their numbers, as the library has it
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
KIND = CONTENT_TYPE_LATEST
_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT")
# What a worker counts by itself: a name that ends with _total only grows, the others are of now.
OWN = {
    "steps_total": "Training steps taken.",
    "stream_packets_total": "Frames sent to streams of classes.",
    "streams_cut_total": "Streams that were cut because they took nothing.",
    "heavy_jobs": "Heavy computations under way or waiting.",
    "streams": "Open streams of classes.",
}
# What the store knows, whichever worker asks it.
STORED = {"runs": "Runs in the store.", "rooms": "Class rooms in the store."}


class Meters:
    """The numbers of one worker. `own` tells those of OWN as they are now."""

    def __init__(self, own: Callable[[], Mapping[str, float]]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.own, self.registry = own, (here := CollectorRegistry())
        self.requests = Counter(
            "playground_requests", "Requests answered.", ("method", "route", "status"), registry=here
        )
        self.seconds = Histogram(
            "playground_request_seconds", "Seconds to an answer.", ("route",), buckets=BOUNDS, registry=here
        )
        self.refused = Counter("playground_rejections", "Requests refused.", ("status",), registry=here)
        self.gauges = {
            name: Gauge(f"playground_{name}", text, multiprocess_mode="livesum", registry=here)
            for name, text in OWN.items()
            if not name.endswith("_total")
        }
        self.counters = {
            name: Counter(f"playground_{name}", text, registry=here)
            for name, text in OWN.items()
            if name.endswith("_total")
        }
        self._counted = dict.fromkeys(self.counters, 0.0)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request that was answered."""
        self.requests.labels(method if method in _METHODS else "OTHER", route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)
        if status in (403, 409, 412, 413, 422, 429, 503):
            self.refused.labels(str(status)).inc()
        for name, value in self.own().items():
            if name in self.gauges:
                self.gauges[name].set(value)
            elif more := value - self._counted[name]:
                self.counters[name].inc(more)
                self._counted[name] = value

    def text(self, stored: Mapping[str, float], version: str) -> bytes:
        """Everything in the text format of Prometheus, of all workers."""
        asked = CollectorRegistry()
        asked.register(_Told(stored, version))
        if os.environ.get(SHARED):
            others = CollectorRegistry()
            MultiProcessCollector(others)  # type: ignore[no-untyped-call]
        else:
            others = self.registry
            ProcessCollector(registry=asked)
        return generate_latest(others) + generate_latest(asked)


class _Told(Collector):
    """What is so whichever worker is asked: never of one of them, so that nothing adds it up."""

    def __init__(self, stored: Mapping[str, float], version: str) -> None:
        self.stored, self.version = stored, version

    def collect(self) -> Iterator[Metric]:
        """What the store holds, and what is running."""
        for name, value in self.stored.items():
            yield GaugeMetricFamily(f"playground_{name}", STORED[name], value=value)
        build = GaugeMetricFamily("playground_build_info", "What is running.", labels=("version", "python"))
        build.add_metric((self.version, sys.version.partition(" ")[0]), 1)
        yield build


class Telemetry:
    """What is noted of every request, in each worker."""

    def __init__(self, json_logs: bool, metrics: Meters | None) -> None:
        self.json_logs, self.metrics = json_logs, metrics

    def note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        """One request that was answered."""
        route = getattr(scope.get("route"), "path", "none")
        if self.metrics:
            self.metrics.note(scope["method"], route, status, seconds)
        if self.json_logs:
            run = scope.get("path_params", {}).get("run_id", "")
            line: dict[str, Any] = {
                "time": time(),
                "level": "INFO",
                "id": request_id,
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(1000 * seconds, 3),
                "run": run[:6],
            }
            sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
            sys.stdout.buffer.flush()


class JsonLines(logging.Formatter):
    """A log record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback goes into a field of it."""
        line = {
            "time": record.created,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def log_as_json() -> None:
    """Make every logger of this process write JSON lines on standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"
