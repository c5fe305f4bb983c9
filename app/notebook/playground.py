"""Playground: the real page in a notebook's cell, and in Python what it shows.

The app runs in a thread of the kernel, on a free port of 127.0.0.1, with its runs in a folder that goes with it. A
frame needs no extension of the notebook's and works in each of them; it does not reach a kernel on another machine.
"""

import weakref
from dataclasses import replace
from html import escape
from warnings import warn

from app.notebook.served import Served
from engine import LIMITS, RunState, Spec, receipt, replay, start, trace
from engine.checks import kind_of
from engine.receipts import ChannelReceipt, ParameterReceipt, UnitReceipt
from engine.training import steps_of

HEIGHT = 780


class Playground:
    """The page of a spec or a state, to be shown by a cell: `Playground(Spec.make(dataset="xor"))`.

    `state` is the run as it is on the screen, whatever was clicked there; `step(10)` takes steps, and the page follows;
    `receipt()` is that of the link or unit that is selected there. It lives as long as it is referred to, at most as
    long as the kernel; `close` ends it before.
    """

    def __init__(self, of: Spec | RunState | None = None, *, height: int = HEIGHT) -> None:
        spec, step = _beginning(Spec.make() if of is None else of)
        self.height, self._served = height, Served()
        self._served.wait(self._served.show(spec, step))
        weakref.finalize(self, self._served.stop)

    @property
    def url(self) -> str:
        """The address of what the cell shows. Who knows it, on this machine, may look and act."""
        return self._served.url

    @property
    def state(self) -> RunState:
        """The run as it is on the screen, at the step that is looked at."""
        return self._served.wait(self._served.screen())[2]

    def step(self, count: int = 1) -> RunState:
        """Take steps from the run's last one on, and show it; the state after them."""
        return self._served.wait(self._served.step(steps_of("step", count)))

    def receipt(self, address: str | None = None) -> ParameterReceipt | UnitReceipt | ChannelReceipt:
        """Where the number came from that is selected on the screen, or the one that is named, such as W2.1.3."""
        _, view, state = self._served.wait(self._served.screen())
        of = address or view.select
        if of is None:
            raise ValueError("nothing is selected on the screen: click a link or a unit there, or name one: W1.1.1")
        return receipt(trace(state, view.example), of)

    def close(self) -> None:
        """Stop serving; what was done is gone."""
        self._served.stop()

    def __repr__(self) -> str:
        return f"Playground({self.state!r})"

    def _repr_html_(self) -> str:
        """As a notebook shows it: the page."""
        look = f'width="100%" height="{self.height}" style="border: 0" title="Backprop Playground"'
        return f'<iframe src="{escape(self.url)}" {look}></iframe>'


def _beginning(of: Spec | RunState) -> tuple[Spec, int]:
    """The spec that a run begins with, within the page's limits, and how many steps bring it to what is given.

    A state that its spec does not lead to begins with its parameters at step 0, with a warning: the page can go back no
    further. ValueError where it has no numbers to begin with.
    """
    if isinstance(of, Spec):
        return Spec.make(of.to_dict(), LIMITS), 0
    if not isinstance(of, RunState):
        own = ": its .state is one" if isinstance(getattr(of, "state", None), RunState) else ""
        raise TypeError(f"Playground takes a Spec or a RunState, not {kind_of(of)}{own}")
    spec, step = Spec.make(of.spec.to_dict(), LIMITS), of.step + (of.divergence is not None)
    if replay(start(of.spec), (), step) == of:
        return spec, step
    if of.divergence:
        raise ValueError(
            f"this state was changed on its way and diverged at step {of.step:,}: give one from before that"
        )
    warn(
        f"Playground begins anew at step 0 with the parameters of {of!r}: its spec alone does not lead to it",
        stacklevel=3,
    )
    return replace(spec, parameters=tuple(of.parameters.tolist())), 0
