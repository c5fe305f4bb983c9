"""What is remembered of a request that came with an idempotency key: enough to answer it again as the first time."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import orjson

from app.failures import KeyReused
from app.run.history import Steps
from app.run.record import Run, head_of, told_of


@dataclass(frozen=True)
class Once:
    """A request with a key, and the digest that tells it from another with the same key."""

    key: str
    digest: str

    @classmethod
    def of(cls, key: str, request: tuple[object, ...]) -> "Once":
        """A request by what it asks for."""
        return cls(key, sha256(repr(request).encode()).hexdigest())

    def told(self, saved: Run, steps: Steps) -> bytes:
        """What is stored together with the change: the run as it is answered, and the losses behind it."""
        run = told_of(saved.head, saved.origin)
        about = {"request": self.digest, "run": run, "asked": steps.asked, "why": steps.truncated}
        return orjson.dumps(about) + b"\n" + steps.losses.astype("<f8").tobytes()

    def again(self, run: Run, told: bytes) -> Steps:
        """The same answer again; KeyReused if another request is asked with its key."""
        about, losses = _parted(told)
        if about["request"] != self.digest:
            raise KeyReused
        head = head_of(about["run"], run)
        return Steps(np.frombuffer(losses, "<f8"), about["asked"], about["why"], told=head)


def version_of(told: bytes) -> int:
    """The version that the run came to by this request."""
    return int(_parted(told)[0]["run"]["version"])


def _parted(told: bytes) -> tuple[dict[str, Any], bytes]:
    text, losses = told.split(b"\n", 1)
    return orjson.loads(text), losses
