"""The listing of the API, and the page under a path, in headless Chromium."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
expect = pytest.importorskip(
    "playwright.sync_api", reason="needs the dependency group browser"
).expect

if TYPE_CHECKING:
    from tests.web.conftest import Serve

pytestmark = pytest.mark.slow

Open = Callable[..., Any]


def test_the_listing_of_the_api_needs_nothing_from_elsewhere(open_page: Open, client: Any) -> None:
    page = open_page("/docs")
    paths = client.get("/openapi.json").json()["paths"]
    expect(page.locator(".operation h2 code")).to_have_text(list(paths))


def test_examples_write_pictures_to_files(open_page: Open, client: Any) -> None:
    page = open_page("/docs")
    at = str(client.base_url).rstrip("/")
    expect(page.locator(".operation pre")).to_have_text(
        [
            f"curl -F file=@photo.jpg {at}/v1/map -o photo.map.png",
            f"curl -F file=@photo.jpg {at}/v1/degree",
            f"curl -F file=@photo.jpg {at}/v1/rank",
            f"curl -F file=@photo.jpg {at}/v1/overlay -o photo.overlay.jpg",
            f"curl -F file=@photo.jpg {at}/v1/segment -o photo.segment.png",
            f"curl -F file=@photo.jpg {at}/v1/magnify -o photo.magnify.jpg",
            f"curl -F file=@photo.jpg {at}/v1/photo -o photo.photo.jpg",
            f"curl {at}/healthz",
        ]
    )


def test_a_page_under_a_path_maps_photos(open_page: Open, serve: Serve, method: Any) -> None:
    with serve(method, root_path="/tools/blur") as server:
        page = open_page("/tools/blur", server)
        page.click("text=Coffee")
        expect(page.locator("#rows li.done .title")).to_have_text("coffee.jpg")
        with page.expect_popup() as listing:
            page.click("text=API")
        page = listing.value
        example = page.locator(".operation pre").first
        expect(example).to_contain_text("/tools/blur/v1/map -o photo.map.png")
        page.click("text=Page")
        expect(page.locator("#welcome")).to_be_visible()
