"""The server of `blurmapper serve`: a page for people and an HTTP API for programs."""

from __future__ import annotations

from blurmapper.web.app import create_app
from blurmapper.web.connections import Server
from blurmapper.web.limits import Limits

__all__ = ["Limits", "Server", "create_app"]
