"""create_app: the only wiring of settings, store, routers, failures and guard."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI, Request, Response
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from app import api, docs, errors, openapi
from app.answers import json
from app.assets import STATIC
from app.runs import Runs
from app.schemas import Status
from app.security import Guard
from app.settings import Settings, load
from app.stores import store_for

log = logging.getLogger("playground")
DESCRIPTION = "Train a small network step by step, and read every number that backpropagation computes on the way."
ROUTERS = ("app.api_look", "app.pages", "app.learn", "app.classroom")


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole application, ready to be served; its store is opened when it starts."""
    settings = settings or load()
    app = FastAPI(
        title="Backprop Playground",
        version="0.1.0",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        default_response_class=Response,
        generate_unique_id_function=lambda route: route.name.replace("/", "_"),
        lifespan=_lifespan,
        middleware=[Middleware(Guard, settings=settings)],
    )
    app.state.settings = settings
    app.state.store = store_for(settings)
    app.state.runs = Runs(app.state.store, settings)
    errors.install(app)
    app.include_router(api.router)
    app.include_router(docs.router)
    for name in ROUTERS:
        try:
            app.include_router(import_module(name).router)
        except ImportError as error:
            log.warning("%s is left out: %s", name, error)
    app.mount("/static", StaticFiles(directory=STATIC), "static")
    for path, endpoint, summary in (
        ("/healthz", api.healthz, "Whether the process lives"),
        ("/api/v1/healthz", api.healthz, "The same, beside the rest"),
        ("/readyz", readyz, "Whether a write would succeed now"),
    ):
        told = api.answers_with(Status)
        app.add_api_route(path, endpoint, tags=["service"], summary=summary, responses=told, name=path[1:])
    openapi.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await app.state.store.open()
    yield
    app.state.runs.close()
    await app.state.store.close()


async def readyz(request: Request) -> Response:
    """A write to the store succeeds."""
    await request.app.state.store.ready()
    return json({"status": "ready"})
