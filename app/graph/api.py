"""POST /api/v1/graph: a formula and its values in, every number, gradient, local slope and moment out. No state."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.costs import trace_cost
from app.graph.moments import PassMoment, moments
from app.run.answers import json
from app.run.api import Kept, Visitor, Whole, answers_with
from app.run.schemas import Body, Number
from app.serve.strict import StrictRoute
from app.words.segments import text_of
from engine import Graph, graph, graph_of, trace
from engine.graph import Grain
from engine.language import CHARACTERS, ITEMS, NODES

router = APIRouter(prefix="/api/v1", route_class=StrictRoute, default_response_class=Response)
SECONDS = 4e-4  # to compute and tell one node, at most

Row = Annotated[list[Number], Field(min_length=1, max_length=ITEMS)]


_VALUES: dict[str, JsonValue] = {"a": 0.8, "b": -1.5, "c": 2, "y": -0.5}


class GraphBody(Body):
    """A formula, a line a name, and the values of its inputs; a line such as `a = 0.8` gives one, too."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"source": "L = (tanh(a*b + c) - y)**2", "values": _VALUES}]},
    )

    source: str = Field(min_length=1, max_length=CHARACTERS)
    values: dict[str, Number | Row] = Field(default={}, max_length=NODES)
    grain: Grain = "node"


class NodeAnswer(BaseModel):
    """An input, or an operation on nodes (by name) and plain numbers; its number, and how the output goes with it."""

    name: str
    kind: str
    of: list[str | float]
    line: int
    data: float | None
    grad: float | None


class EdgeAnswer(BaseModel):
    """From a node into another at one place: the local slope there, and what comes back over it."""

    source: str
    target: str
    place: int
    slope: float | None
    grad: float | None


class GraphMomentAnswer(BaseModel):
    """One moment of the two passes: what it computes, in words, symbols (LaTeX), numbers and code."""

    phase: str
    node: str
    over: str | None
    adds: bool
    words: str
    symbols: str
    numbers: str
    code: str


class GraphAnswer(BaseModel):
    """Nodes in computing order. What is no finite number is null."""

    source: str
    output: str
    values: dict[str, float | list[float]]
    nodes: list[NodeAnswer]
    edges: list[EdgeAnswer]
    moments: list[GraphMomentAnswer]
    program: str


@router.post("/graph", tags=["graph"], responses=answers_with(GraphAnswer))
async def compute_graph(request: Request, runs: Kept, who: Visitor, body: GraphBody) -> Response:
    """Any formula as the graph of its operations, with both passes through it."""
    size = min(NODES, len(body.source) + sum(len(v) if isinstance(v, list) else 1 for v in body.values.values()))
    return await runs.pool.do(SECONDS * size, who, lambda: json(told(graph(body.source, body.values), body.grain)))


@router.get("/runs/{run_id}/graph", tags=["graph"], responses=answers_with(GraphAnswer))
async def read_graph(
    run_id: str, runs: Kept, example: Whole, unit: str = "", step: Whole | None = None, grain: Grain = "node"
) -> Response:
    """What the next step would compute on one example as the graph of its scalars: of the whole network where it has
    at most 400 nodes; of a unit, such as a1.2, what belongs to it alone."""
    run = await runs.get(run_id)
    state = run.state if step is None else await runs.at(run, step)

    def work() -> Response:
        return json(told(graph_of(trace(state, example), unit), grain))

    return await runs.pool.do(SECONDS * NODES + trace_cost(state.spec.network, 1), run.visitor, work)


def told(of: Graph, grain: Grain = "node") -> dict[str, Any]:
    """A graph as the API tells it."""
    names = [vertex.name for vertex in of.vertices]
    nodes = [
        {
            "name": vertex.name, "kind": vertex.kind, "line": vertex.line, "data": of.data[n], "grad": of.grad[n],
            "of": [
                names[source] if source is not None else each.value  # type: ignore[attr-defined]
                for source, each in zip(vertex.sources, vertex.of, strict=True)
            ],
        }
        for n, vertex in enumerate(of.vertices)
    ]  # fmt: skip
    edges = [
        {
            "source": names[edge.source], "target": names[edge.target], "place": edge.place,
            "slope": of.slopes[edge], "grad": of.back(edge),
        }
        for edge in of.edges
    ]  # fmt: skip
    return {
        "source": of.source, "output": names[of.output], "values": dict(of.values), "nodes": nodes, "edges": edges,
        "moments": [_moment(names, each) for each in moments(of, grain)], "program": of.program,
    }  # fmt: skip


def _moment(names: list[str], of: PassMoment) -> dict[str, Any]:
    edge = of.beat.edge
    return {
        "phase": of.beat.phase, "node": names[of.beat.vertex], "over": names[edge.target] if edge else None,
        "adds": of.beat.adds, "words": text_of(of.words), "symbols": of.symbols, "numbers": of.numbers, "code": of.code,
    }  # fmt: skip
