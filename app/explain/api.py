"""JSON that looks into one step of a run and changes nothing: walkthrough, receipt, nudge, check, slice, and so on.

Every route looks at the run's head, or with `step` at an earlier step; what a look costs decides where it runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from app.costs import CHECK_SECONDS, look_cost, probe_cost
from app.explain import answers, schemas
from app.explain.moments import GRAINS
from app.explain.receipts import receipt as receipt_of
from app.explain.walkthrough import walkthrough as walkthrough_of
from app.run.answers import json
from app.run.api import Kept, Whole, answers_with
from app.run.runs import Run
from app.serve.strict import StrictRoute
from engine import Quantity, RunState, SpecError, trace
from engine.along import REACH, along
from engine.health import complaint
from engine.maps import MOST_POINTS, POINTS, plane
from engine.paths import paths
from engine.probes import check_all, contour, located, nudge, slice_, wishes

router = APIRouter(prefix="/api/v1/runs/{run_id}", route_class=StrictRoute, default_response_class=Response)

Granularity = Annotated[
    str, Query(max_length=40, description="How finely: " + ", ".join(GRAINS) + ".", json_schema_extra={"enum": GRAINS})
]
Address = Annotated[
    str, Query(max_length=40, description="W2.1.3: layer 2, to unit 1, from unit 3; b2.1: a bias; a2.1: a unit.")
]
Input = Annotated[str, Query(max_length=60, description="An input, by its name or its number from 1.")]
Place = Annotated[
    str | None,
    Query(
        max_length=40,
        description="What is told of feature maps in place of the largest: a1.2.5.7, layer 1, channel 2, row 5, column "
        "7; or a kernel's weight, W2.3.1.2.2.",
    ),
]
Example = Annotated[Whole | None, Query(description="One example alone, by its row; else the next mini-batch.")]
Step = Annotated[Whole | None, Query(description="An earlier step to look at.")]
Number = Annotated[float, Query(allow_inf_nan=False)]
MathML = Annotated[Literal["true", "false"], Query(description="The symbols as MathML too, beside LaTeX.")]
MOMENT_SECONDS = 250e-6  # to write one moment
MATHML_SECONDS = 60e-6  # to set its symbols


@dataclass(frozen=True)
class Looked:
    """A run that is looked at, at its head or an earlier step."""

    run_id: str
    runs: Kept
    step: Step = None

    async def found(self) -> tuple[Run, RunState]:
        """The run, and its state at that step."""
        run = await self.runs.get(self.run_id)
        return run, run.state if self.step is None else await self.runs.at(run, self.step)

    async def at(self, cost: Callable[[RunState], float], look: Callable[[RunState], dict[str, Any]]) -> Response:
        """What a look of that cost sees, found where such work belongs."""
        run, state = await self.found()
        return await self.runs.pool.do(cost(state), run.visitor, lambda: json(look(state)))

    async def told(self, look: Callable[[RunState], dict[str, Any]]) -> Response:
        """What a look sees that costs as much as a trace."""
        return await self.at(lambda state: look_cost(state.spec), look)

    async def probed(self, kind: str, probe: Callable[[RunState], Any]) -> Response:
        """What a probe of that kind finds."""
        cost = partial(probe_cost, kind)
        return await self.at(lambda state: cost(state.spec), lambda state: answers.probed(state.step, probe(state)))


Look = Annotated[Looked, Depends()]


def _placed(text: str) -> Quantity:
    try:
        return Quantity.parse(text)
    except ValueError:
        raise SpecError("place", text, "a place of a feature map, such as a1.2.5.7") from None


@router.get("/walkthrough", tags=["look"], responses=answers_with(schemas.WalkthroughAnswer))
async def read_walkthrough(
    run: Look,
    example: Example = None,
    granularity: Granularity = "unit",
    moment: Annotated[Whole | None, Query(description="Only this moment.")] = None,
    place: Place = None,
    mathml: MathML = "false",
) -> Response:
    """One step as moments in computing order, each in words, symbols, numbers and a line of NumPy.

    On `example` alone, or on the mini-batch that the next step will use.
    """

    def look(state: RunState) -> dict[str, Any]:
        walk = walkthrough_of(trace(state, example), granularity, () if place is None else (_placed(place),))
        if moment is not None and moment >= len(walk):
            raise SpecError("moment", moment, "a whole number from 0 to {last}", last=len(walk) - 1)
        indices = range(len(walk)) if moment is None else [moment]
        return answers.walked(walk, indices, run.runs.settings.answer_numbers, mathml == "true")

    def cost(state: RunState) -> float:
        count = 1 if moment is not None else min(1_000, 4 * state.spec.network.size + 10)
        return look_cost(state.spec) + count * (MOMENT_SECONDS + (mathml == "true") * MATHML_SECONDS)

    return await run.at(cost, look)


@router.get("/receipt", tags=["look"], responses=answers_with(schemas.ReceiptAnswer))
async def read_receipt(run: Look, address: Address, example: Example = None, mathml: MathML = "false") -> Response:
    """Where a parameter's next value comes from, or a unit's z, a and delta."""
    return await run.told(
        lambda state: answers.received(state.step, receipt_of(trace(state, example), address), mathml == "true")
    )


@router.get("/nudge", tags=["look"], responses=answers_with(schemas.NudgeAnswer))
async def read_nudge(run: Look, address: Address, example: Example = None, amount: Number = 0.001) -> Response:
    """Add `amount` to one parameter and run the model again: better or worse? Beside it backpropagation's number."""
    return await run.probed("nudge", lambda state: nudge(state, address, amount, example))


@router.get("/check", tags=["look"], responses=answers_with(schemas.CheckAnswer))
async def read_check(run: Look, example: Example = None) -> Response:
    """Every gradient against reruns of the model; of a large network, as many as fit into half a second."""
    return await run.probed("check", lambda state: check_all(state, example, seconds=CHECK_SECONDS))


@router.get("/slice", tags=["look"], responses=answers_with(schemas.SliceAnswer))
async def read_slice(
    run: Look,
    address: Address,
    example: Example = None,
    width: Annotated[float | None, Query(allow_inf_nan=False, description="How far to either side.")] = None,
) -> Response:
    """The loss along one parameter alone, with where this step lands, and where 3 and 10 times the rate would."""
    return await run.probed("slice", lambda state: slice_(state, address, example, width=width))


@router.get("/again", tags=["look"], responses=answers_with(schemas.AlongAnswer))
async def read_again(
    run: Look,
    example: Example = None,
    reach: Annotated[float, Query(allow_inf_nan=False, description="How many times the step's own length.")] = REACH,
) -> Response:
    """The model run again after the step, and the loss all along its way: too short, just right, overshoot?

    For `example` alone, or for the mini-batch that the next step will use; beside it that of all training examples.
    """
    return await run.probed("again", lambda state: along(state, example, reach=reach))


@router.get("/paths", tags=["look"], responses=answers_with(schemas.PathsAnswer))
async def read_paths(
    run: Look,
    address: Address,
    example: Annotated[Whole, Query(description="One example, by its row: each has factors of its own.")],
) -> Response:
    """Every way from the loss to one parameter, as a chain of factors; all their products add up to its gradient.

    Past 16 ways only how many they are, how few links they share, and the one with the largest product.
    """
    return await run.probed("paths", lambda state: paths(trace(state, example), address))


@router.get("/contour", tags=["look"], responses=answers_with(schemas.ContourAnswer))
async def read_contour(run: Look, x: Address, y: Address) -> Response:
    """The loss over two parameters, on the training set, with the path that they have walked so far."""
    kept, state = await run.found()
    places = located(state, x, "x"), located(state, y, "y")
    if places[0] == places[1]:
        raise SpecError("y", y, "another parameter than x")
    path = await run.runs.path(kept, state.step, places)

    def work() -> Response:
        found = contour(state, x, y, path=list(path.values()))
        return json(answers.contoured(state.step, found, list(path)))

    return await run.runs.pool.do(probe_cost("contour", state.spec), kept.visitor, work)


@router.get("/plane", tags=["look"], responses=answers_with(schemas.PlaneAnswer))
async def read_plane(
    run: Look,
    across: Input = "1",
    up: Input = "2",
    points: Annotated[Whole, Query(description=f"A side, up to {MOST_POINTS}.")] = POINTS,
) -> Response:
    """What comes out over two inputs of any number, all others at their mean over the training rows."""
    return await run.probed("plane", lambda state: plane(state, across, up, points=points))


@router.get("/wishes", tags=["look"], responses=answers_with(schemas.WishesAnswer))
async def read_wishes(
    run: Look,
    address: Address | None = None,
    gradients: Annotated[Literal["true", "false"], Query(description="Each example's whole gradient too.")] = "false",
) -> Response:
    """What each example of the mini-batch wants, and how far it agrees with their mean, the batch's gradient."""

    def look(state: RunState) -> dict[str, Any]:
        index, every = None if address is None else located(state, address), gradients == "true"
        found = wishes(state, values=run.runs.settings.answer_numbers) if every else wishes(state)
        return answers.wished(state, found, index, every)

    return await run.at(lambda state: probe_cost("wishes", state.spec), look)


@router.get("/health", tags=["look"], responses=answers_with(schemas.HealthAnswer))
async def read_health(run: Look) -> Response:
    """How gradients fare in every layer of the next step, and one plain sentence if something is wrong."""

    def look(state: RunState) -> dict[str, Any]:
        told = trace(state)
        return answers.healthy(told, complaint(told, state))

    return await run.told(look)
