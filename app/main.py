"""create_app: the only wiring of settings, store, routers, failures and guard."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.datastructures import State
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app import reference
from app.assets import STATIC
from app.costs import decode_cost
from app.draw.rendering import asset
from app.explain import api as api_look
from app.failures import StoreUnavailable
from app.graph import api as api_graph
from app.graph import pages as pages_graph
from app.learn import api_diagnose, api_predict
from app.learn import pages as learn
from app.page import data, embed, layering, listing, pages
from app.page.refused import sorry
from app.refusals import KINDS, TABLE
from app.room import api as api_rooms
from app.room import driving, ending
from app.room import pages as pages_class
from app.run import api
from app.run.answers import json
from app.run.runs import Runs
from app.run.schemas import Status
from app.serve import docs, errors, openapi, problems, static, telemetry
from app.serve.limits import Limiter
from app.serve.process import leave_with_parent, stopping_event
from app.serve.root import at, lies_under
from app.serve.security import Guard
from app.settings import Settings, load
from app.since import LENIENT
from app.stores import Store, store_for

# How long a thread may hold the interpreter while the event loop waits for it: heavy work runs in threads.
SWITCH_SECONDS = 0.0005
SWEEP_SECONDS = 60
log = logging.getLogger("playground")
DESCRIPTION = "Train a small network step by step, and read every number that backpropagation computes on the way."
TAGS = {
    "runs": "A network in training: make it, step it, change it, go back, branch.",
    "look": "One step taken apart: walkthrough, receipts, nudges, checks. Nothing is changed.",
    "backprop": "One step on given layers and examples, without a run: for autograders.",
    "diagnose": "What is wrong with gradients that somebody computed, by name.",
    "graph": "Any formula as the graph of its operations.",
    "catalog": "What can be chosen, and every limit.",
    "learn": "Lessons and exercises.",
    "rooms": "A class: a teacher drives, students follow and answer.",
    "service": "How the server is.",
}
# The order in which routes are tried: the busiest first.
PARTS = (
    api,
    api_look,
    api_predict,
    api_graph,
    api_diagnose,
    data,
    pages_graph,
    layering,
    listing,
    pages,
    embed,
    driving,
    api_rooms,
    ending,
    pages_class,
    learn,
    reference,
)
# Who tells people of a failure, by what the address begins with: the first that will.
FACES = {"/class": pages_class.refusal, "/": sorry}


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole application, ready to be served; its store is opened when it starts."""
    settings = settings or load()
    lies_under(settings.root_path)
    app = FastAPI(
        title="Backprop Playground",
        version=version("backprop-playground"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # Starlette makes that redirect of whatever Host says
        openapi_url="/api/v1/openapi.json",
        default_response_class=Response,
        generate_unique_id_function=lambda route: route.name.replace("/", "_"),
        lifespan=_lifespan,
        middleware=[*_for_other_sites(settings), Middleware(Guard, settings=settings)],
    )
    app.state.settings, app.state.lenient = settings, LENIENT
    app.state.store = store_for(settings)
    app.state.runs = Runs(app.state.store, settings)
    app.state.limiter = Limiter(settings)
    counted = telemetry.Meters(partial(_own, app.state)) if settings.metrics else None
    app.state.telemetry = telemetry.Telemetry(settings.json_logs, counted)
    app.state.stage = asyncio.Lock()  # where frames of Play are drawn, one answer at a time
    app.state.aside = partial(_aside, app.state.runs)
    api_rooms.install(app)
    errors.install(app, TABLE, FACES)
    for router in (*(part.router for part in PARTS), *_described(), static.routes(STATIC)):
        app.include_router(router)
    for path, endpoint, summary in (
        ("/healthz", api.healthz, "Whether the process lives"),
        ("/api/v1/healthz", api.healthz, "The same, beside the rest"),
        ("/readyz", readyz, "Whether a write would succeed now"),
    ):
        told = api.answers_with(Status)
        app.add_api_route(path, endpoint, tags=["service"], summary=summary, responses=told, name=path[1:])
    if settings.metrics:
        app.add_api_route("/metrics", metrics, include_in_schema=False)
    openapi.install(app, TAGS, "rooms")
    return app


def _described() -> list[APIRouter]:
    """The pages that describe the API: to try it, and what its problems are."""
    return [docs.routes(asset), problems.routes(KINDS, asset("style.css"), at("/docs"))]


def _for_other_sites(settings: Settings) -> list[Middleware]:
    """What lets a browser's pages of the allowed origins ask here and read the answers; no cookie goes along."""
    if not settings.allowed_origins:
        return []
    told = ["x-request-id", "retry-after", "idempotent-replayed", "etag", "link", "location", "warning", "allow"]
    origins = list(settings.allowed_origins)
    return [Middleware(CORSMiddleware, origins, ["*"], ["*"], expose_headers=told, max_age=600)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    settings: Settings = app.state.settings
    if settings.json_logs:
        telemetry.log_as_json()
    sys.setswitchinterval(SWITCH_SECONDS)
    app.state.stopping = stopping_event()
    try:
        await app.state.store.open()
    except StoreUnavailable as error:
        log.error("starting all the same, not ready: %s", error)
    tasks = [asyncio.create_task(_sweep(app.state.store)), asyncio.create_task(leave_with_parent())]
    tasks.append(asyncio.create_task(api_rooms.say_goodbye(app)))
    yield {"serving": settings}
    app.state.stopping.set()
    for task in tasks:
        task.cancel()
    app.state.runs.close()
    await app.state.store.close()


async def _aside(runs: Runs, size: int, visitor: str, work: Callable[[], Any]) -> Any:
    """What reading so many bytes takes, where it holds up nobody."""
    return await runs.pool.do(decode_cost(size), visitor, work)


async def _sweep(store: Store) -> None:
    """Let expired records go, once a minute."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        with suppress(StoreUnavailable):
            await store.sweep()


async def metrics(request: Request) -> Response:
    """Metrics in the text format of Prometheus, of all workers."""
    state = request.app.state
    stored = {"runs": await state.store.count("run:"), "rooms": await state.store.count("room:")}
    return Response(state.telemetry.metrics.text(stored, request.app.version), media_type=telemetry.KIND)


def _own(state: State) -> dict[str, float]:
    """What this worker counts by itself, for the metrics."""
    return {"steps_total": state.runs.steps_taken, "heavy_jobs": state.runs.pool.jobs, **api_rooms.counted(state)}


async def readyz(request: Request) -> Response:
    """A write to the store succeeds."""
    await request.app.state.store.ready()
    return json({"status": "ready"})
