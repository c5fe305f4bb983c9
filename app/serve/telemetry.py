"""What the service tells its keeper: counters for Prometheus, and log lines as JSON on demand.

Tokens and whole run ids are in neither: a run's id is what opens it.
"""

import logging
import os
import sys
from collections import Counter, defaultdict
from time import time
from typing import Any

import orjson
from starlette.types import Scope

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Telemetry:
    """Counts requests by route and status, and how long they took; one of them in each worker."""

    def __init__(self, json_logs: bool) -> None:
        self.json_logs = json_logs
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.buckets: Counter[tuple[str, float]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.refused: Counter[int] = Counter()

    def note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        """One request that was answered."""
        route = getattr(scope.get("route"), "path", "unknown")
        self.requests[scope["method"] if scope["method"] in _METHODS else "OTHER", route, status] += 1
        self.seconds[route] += seconds
        self.buckets[route, next((bound for bound in BOUNDS if seconds <= bound), float("inf"))] += 1
        if status in (403, 409, 413, 422, 429, 503):
            self.refused[status] += 1
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

    def text(self, gauges: dict[str, float]) -> str:
        """Everything in the text format of Prometheus."""
        worker = f'worker="{os.getpid()}"'
        lines = ["# TYPE playground_requests_total counter"]
        lines += [
            f'playground_requests_total{{{worker},method="{method}",route="{route}",status="{status}"}} {count}'
            for (method, route, status), count in sorted(self.requests.items())
        ]
        lines.append("# TYPE playground_rejections_total counter")
        lines += [f'playground_rejections_total{{{worker},status="{s}"}} {n}' for s, n in sorted(self.refused.items())]
        lines.append("# TYPE playground_request_seconds histogram")
        for route in sorted(self.seconds):
            lines += self._histogram(worker, route)
        for name, value in gauges.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# TYPE playground_{name} {kind}", f"playground_{name}{{{worker}}} {value:g}"]
        return "\n".join(lines) + "\n"

    def _histogram(self, worker: str, route: str) -> list[str]:
        name, labels, total, lines = "playground_request_seconds", f'{worker},route="{route}"', 0, []
        for bound in (*BOUNDS, float("inf")):
            total += self.buckets[route, bound]
            edge = "+Inf" if bound == float("inf") else f"{bound:g}"
            lines.append(f'{name}_bucket{{{labels},le="{edge}"}} {total}')
        return [*lines, f"{name}_sum{{{labels}}} {self.seconds[route]:.6f}", f"{name}_count{{{labels}}} {total}"]


_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT")


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
