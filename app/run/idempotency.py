"""What is remembered of a request that came with an idempotency key: enough to answer it again as the first time."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import orjson

from app.failures import KeyReused
from app.run.deeds import Change, Deed, Reset, Rewind, Step
from app.run.history import Steps
from app.run.record import Run, head_of, told_of


@dataclass(frozen=True)
class Once:
    """A request with a key, and the digest that tells it from another with the same key."""

    key: str
    digest: str
    brief: bool = False

    @classmethod
    def of(cls, key: str, deed: Deed, brief: bool = False) -> "Once":
        """A request by the deed that it asks for. A `brief` one is answered again by the run as it then stands."""
        return cls(key, sha256(repr(_spelled(deed)).encode()).hexdigest(), brief)

    def told(self, saved: Run, steps: Steps) -> bytes:
        """What is stored together with the change: the run as it is answered, and the losses behind it."""
        if self.brief:
            return orjson.dumps({"request": self.digest, "run": {"version": saved.version}}) + b"\n"
        run = told_of(saved.head, saved.origin)
        about = {"request": self.digest, "run": run, "asked": steps.asked, "why": steps.truncated}
        return orjson.dumps(about) + b"\n" + steps.losses.astype("<f8").tobytes()

    def again(self, run: Run, told: bytes) -> Steps:
        """The same answer again; KeyReused if another request is asked with its key."""
        about, losses = _parted(told)
        if about["request"] != self.digest:
            raise KeyReused
        if "asked" not in about:
            return Steps(earlier=run.head)
        head = head_of(about["run"], run)
        return Steps(np.frombuffer(losses, "<f8"), about["asked"], about["why"], earlier=head)


def _spelled(deed: Deed) -> object:
    """A deed as it is told from others: the oldest ones as 0.1.0 spelled them, whose keys are still remembered."""
    match deed:
        case Step(count=int(count)) if replace(deed, at=None) == Step(count):
            return ("step", count)
        case Change(changes):
            return ("edit", changes, deed.at)
        case Rewind(to):
            return ("rewind", to)
        case Reset():
            return ("reset",)
    return deed


def version_of(told: bytes) -> int:
    """The version that the run came to by this request."""
    return int(_parted(told)[0]["run"]["version"])


def _parted(told: bytes) -> tuple[dict[str, Any], bytes]:
    text, losses = told.split(b"\n", 1)
    return orjson.loads(text), losses
