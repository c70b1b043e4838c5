"""The server as a whole: its routes, its pages, and how errors leave it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

import blurmapper
from blurmapper.methods import BlurMethod
from blurmapper.web.api import api
from blurmapper.web.figures import PhotoMapping
from blurmapper.web.guard import Guard
from blurmapper.web.limits import Limits
from blurmapper.web.queueing import PhotoQueue

PAGES = Path(__file__).parent / "pages"
SAMPLES = Path(blurmapper.__file__).parent / "assets" / "samples"


def create_app(
    method: BlurMethod, limits: Limits | None = None, hosts: Collection[str] = ()
) -> FastAPI:
    """Return the server of a method.

    Parameters
    ----------
    method : callable
        RGB image -> blur map, from `blurmapper.methods.get_method`.
    limits : Limits, optional
        How much it takes on at a time.
    hosts : collection of str
        Names it is called by in a browser, besides ``localhost`` and addresses.

    Returns
    -------
    FastAPI
        An ASGI application, for uvicorn or any other server of that kind.
    """
    limits = limits or Limits()
    queue, mapping = PhotoQueue(limits), PhotoMapping(method)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        queue.close()

    app = FastAPI(
        title="blurmapper",
        version=blurmapper.__version__,
        summary="For every pixel of a photo the probability that it is blurred.",
        lifespan=lifespan,
        # FastAPI's own pages of documentation load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
    )
    app.state.queue, app.state.mapping, app.state.limits = queue, mapping, limits
    app.include_router(api)
    app.add_api_route("/healthz", _health, summary="Say that the server is up.", tags=["server"])
    _add_pages(app)
    app.add_middleware(Guard, hosts=hosts)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(ClientDisconnect, _refuse_silence)
    return app


async def _health(request: Request) -> dict[str, Any]:
    """Say that the server is up, what it can do, what it takes and how much it has to do."""
    state = request.app.state
    return {
        "status": "ok",
        "version": blurmapper.__version__,
        "kinds": state.mapping.knows_kinds,
        "cutouts": find_spec("pymatting") is not None,
        "working": state.queue.working,
        "waiting": state.queue.waiting,
        "limits": asdict(state.limits),
    }


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGES / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> FileResponse:
        return FileResponse(PAGES / "docs.html")

    app.mount("/pages", StaticFiles(directory=PAGES))
    app.mount("/samples", StaticFiles(directory=SAMPLES))


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _refuse_parameters(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    lines = (f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
    return JSONResponse({"error": "; ".join(lines)}, 400)


async def _refuse_silence(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"error": "the client hung up before the photo had arrived"}, 400)
