"""The server as a whole: its routes, its pages, and how errors leave it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect

import blurmapper
from blurmapper.datasets import SAMPLES
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod
from blurmapper.web.api import api
from blurmapper.web.figures import PhotoMapping
from blurmapper.web.guard import Guard, check_host, check_origin, check_root_path
from blurmapper.web.limits import Limits
from blurmapper.web.queueing import PhotoQueue
from blurmapper.web.transfers import Transfers
from blurmapper.web.turns import refuse_unknown_parameters

HEALTH: dict[int | str, dict[str, Any]] = {503: {"description": "The next photo is sent away."}}

PAGES = Path(__file__).parent / "pages"
CHOOSING = Path(blurmapper.__file__).parent / "assets" / "choosing"


def create_app(
    method: BlurMethod,
    limits: Limits | None = None,
    hosts: Collection[str] = (),
    *,
    origins: Collection[str] = (),
    root_path: str = "",
    threads: int | None = None,
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
    origins : collection of str
        Other sites whose pages may use it, such as ``https://photos.example``.
    root_path : str
        The path under which a proxy shows it, such as ``/blur``.
    threads : int, optional
        CPU threads that measure focus, unless the method has its own; all cores unless given.

    Returns
    -------
    FastAPI
        An ASGI application, for uvicorn or any other server of that kind.

    Raises
    ------
    ConfigError
        If a host, an origin or the path is not one.
    """
    hosts, origins = [check_host(name) for name in hosts], [check_origin(one) for one in origins]
    root_path = check_root_path(root_path)
    limits = limits or Limits()
    if not isinstance(method, BlurMapper):
        # Only networks may be called from several threads.
        limits = replace(limits, jobs=1)
    queue, mapping = PhotoQueue(limits), PhotoMapping(method, threads)

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
    check = [Depends(refuse_unknown_parameters)]
    app.add_api_route("/healthz", _health, tags=["server"], responses=HEALTH, dependencies=check)
    app.add_api_route(
        "/healthz", _health, methods=["HEAD"], include_in_schema=False, dependencies=check
    )
    _add_pages(app)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST"],
            expose_headers=["Blur-Figures", "Retry-After", "Subject-Share"],
        )
    app.add_middleware(Guard, hosts=hosts, origins=origins, root_path=root_path)
    app.add_middleware(Transfers, limits=limits)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(ClientDisconnect, _refuse_silence)
    return app


async def _health(request: Request, response: Response) -> dict[str, Any]:
    """Say whether the next photo gets its turn, what the server can do and what it has to do.

    The status is ok, full (photos wait, and no more may), stuck (no photo at work is done in the
    time it has) or stopping.
    """
    state = request.app.state
    queue: PhotoQueue = state.queue
    response.status_code = 200 if queue.status == "ok" else 503
    return {
        "status": queue.status,
        "version": blurmapper.__version__,
        "kinds": state.mapping.knows_kinds,
        "cutouts": find_spec("pymatting") is not None,
        "arriving": queue.arriving,
        "working": queue.working,
        "waiting": queue.waiting,
        "held_bytes": queue.memory.held,
        "limits": asdict(state.limits),
    }


def _add_pages(app: FastAPI) -> None:
    async def page(_: Request) -> FileResponse:
        return FileResponse(PAGES / "index.html")

    async def documentation(_: Request) -> FileResponse:
        return FileResponse(PAGES / "docs.html")

    app.add_route("/", page)
    app.add_route("/docs", documentation)
    app.mount("/pages", StaticFiles(directory=PAGES))
    app.mount("/choosing", StaticFiles(directory=CHOOSING))
    app.mount("/samples", StaticFiles(directory=SAMPLES))


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    reason = error.detail
    if error.status_code == 404:
        reason = "there is nothing at this address; /docs lists what there is"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        reason = f"{request.method} is not for this address, {allowed} is; see /docs"
    return JSONResponse({"error": reason}, error.status_code, error.headers)


async def _refuse_parameters(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    lines = (f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
    return JSONResponse({"error": "; ".join(lines)}, 400)


async def _refuse_silence(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"error": "the client hung up before the photo had arrived"}, 400)
