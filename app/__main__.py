"""`python -m app`: serve the playground, and say where."""

import os

# One thread for NumPy's matrix products: at this size more of them only get into each other's way. Before NumPy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys

import uvicorn

from app.settings import load

# How long a thread may hold the interpreter while the event loop waits for it: heavy work runs in threads.
SWITCH_SECONDS = 0.0005


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    settings = load()
    sys.setswitchinterval(SWITCH_SECONDS)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Backprop Playground: http://{host}:{settings.port}", flush=True)
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
