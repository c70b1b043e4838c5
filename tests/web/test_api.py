"""The HTTP API: every route answers with what the library makes of the photo."""

from __future__ import annotations

import io
import json
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import tifffile

from blurmapper.applications import blur_degree, cut_out, magnify_blur, segment_blur
from blurmapper.batch import MapTask, Outputs
from blurmapper.images import draw_overlay
from blurmapper.mapper import BlurMapper

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

if TYPE_CHECKING:
    from tests.web.conftest import Serve

ROUTES = ("map", "degree", "rank", "overlay", "segment", "magnify", "photo")
HALF = 1 / 255


def pixels(answer: Any) -> npt.NDArray[Any]:
    assert answer.status_code == 200, answer.text
    with PIL.Image.open(io.BytesIO(answer.content)) as picture:
        return np.asarray(picture)


@pytest.fixture
def blur_map(method: BlurMapper, half_blurred_photo: npt.NDArray[np.uint8]) -> Any:
    return method(half_blurred_photo)


def test_a_photo_gives_its_map_as_png(client: Any, photo: bytes, blur_map: Any) -> None:
    answer = client.post("/v1/map", content=photo)
    assert answer.headers["content-type"] == "image/png"
    grey = pixels(answer)
    assert grey.dtype == np.uint8
    np.testing.assert_allclose(grey / 255, blur_map, atol=0.51 / 255)


def test_a_map_of_16_bits_is_closer(client: Any, photo: bytes, blur_map: Any) -> None:
    grey = pixels(client.post("/v1/map?format=png16", content=photo))
    np.testing.assert_allclose(grey / 65535, blur_map, atol=0.51 / 65535)


def test_a_large_jpeg_gives_the_map_that_the_command_writes(
    client: Any, method: BlurMapper, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    buffer = io.BytesIO()
    large = cv2.resize(half_blurred_photo, (4096, 3072), interpolation=cv2.INTER_CUBIC)
    PIL.Image.fromarray(large).save(buffer, "JPEG")
    forms: dict[str, Literal["8", "16", "npy"]] = {"png": "8", "png16": "16", "npy": "npy"}
    for form, kind in forms.items():
        written = MapTask("", outputs=Outputs(kind, kinds=True)).work(method, buffer, "")
        for of, name in (("blur", "map"), ("defocus", "defocus"), ("motion", "motion")):
            answer = client.post(f"/v1/map?format={form}&of={of}", content=buffer.getvalue())
            assert answer.content == written.files[name]
            figures = json.loads(answer.headers["Blur-Figures"])
            assert {**figures, **written.values, "height": 3072, "width": 4096} == figures


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        ("?format=npy", "*/*"),
        ("", "image/png;q=0.5, application/x-npy"),
        ("", "image/PNG;Q=0.5, APPLICATION/X-NPY"),
        ("", "image/png;q=0, */*, image/*;q=0.5"),
    ],
)
def test_a_float_map_is_asked_for_by_query_or_accept(
    client: Any, photo: bytes, blur_map: Any, query: str, accept: str
) -> None:
    answer = client.post(f"/v1/map{query}", content=photo, headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/x-npy"
    floats = np.load(io.BytesIO(answer.content))
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, blur_map, atol=1e-6)


@pytest.mark.parametrize("accept", ["text/html", "*/*;q=0", "image/*;q=0, text/html", "*/*;q=nan"])
def test_an_answer_that_there_is_not_is_refused(client: Any, photo: bytes, accept: str) -> None:
    answer = client.post("/v1/map", content=photo, headers={"Accept": accept})
    assert answer.status_code == 406
    assert "application/x-npy" in answer.json()["error"]


def test_the_two_kinds_of_blur_add_up(client: Any, photo: bytes, blur_map: Any) -> None:
    parts = [
        np.load(io.BytesIO(client.post(f"/v1/map?of={kind}&format=npy", content=photo).content))
        for kind in ("defocus", "motion")
    ]
    assert parts[1].mean() > 0.1
    np.testing.assert_allclose(sum(parts), blur_map, atol=1e-6)


def test_a_method_that_knows_no_kinds_says_so(serve: Serve, photo: bytes, gate: Any) -> None:
    with serve(gate) as client:
        assert client.get("/healthz").json()["kinds"] is False
        assert client.post("/v1/degree", content=photo).json()["motion"] is None
        answer = client.post("/v1/map?of=motion", content=photo)
    assert answer.status_code == 400
    assert "serve dbm-lite" in answer.json()["error"]


def test_figures_are_those_of_the_map(
    client: Any, photo: bytes, blur_map: Any, half_blurred_photo: Any
) -> None:
    figures = client.post("/v1/degree", content=photo).json()
    assert (figures["height"], figures["width"]) == blur_map.shape
    assert figures["blur_degree"] == pytest.approx(blur_map.mean(), abs=1e-6)
    assert figures["share_blurred"] == pytest.approx((blur_map >= 0.5).mean(), abs=1e-6)
    assert figures["defocus"] + figures["motion"] == pytest.approx(figures["blur_degree"])
    for weighting in ("centre", "saliency"):
        weighted = blur_degree(blur_map, weighting=weighting, image=half_blurred_photo)
        assert figures[f"blur_degree_{weighting}"] == pytest.approx(weighted, abs=1e-5)


def test_the_sharpest_region_is_on_the_sharp_side(client: Any, photo: bytes) -> None:
    region = client.post("/v1/degree", content=photo).json()["sharpest"]
    assert region["x"] + region["width"] <= 64


def test_a_map_brings_its_figures_along(client: Any, photo: bytes) -> None:
    figures = client.post("/v1/degree", content=photo).text
    assert client.post("/v1/map", content=photo).headers["blur-figures"] == figures


def test_an_overlay_is_drawn_by_the_library(
    client: Any, photo: bytes, blur_map: Any, half_blurred_photo: Any
) -> None:
    overlay = pixels(client.post("/v1/overlay?format=png", content=photo))
    np.testing.assert_array_equal(overlay, draw_overlay(half_blurred_photo, blur_map))


def test_a_threshold_tints_all_or_nothing(
    client: Any, photo: bytes, blur_map: Any, half_blurred_photo: Any
) -> None:
    overlay = pixels(client.post("/v1/overlay?format=png&threshold=0.7", content=photo))
    np.testing.assert_array_equal(overlay[blur_map < 0.7], half_blurred_photo[blur_map < 0.7])


def test_a_mask_is_the_sharp_subject(
    client: Any, photo: bytes, blur_map: Any, half_blurred_photo: Any
) -> None:
    answer = client.post("/v1/segment", content=photo)
    subject = segment_blur(half_blurred_photo, blur_map)
    np.testing.assert_array_equal(pixels(answer) == 255, subject)
    assert float(answer.headers["subject-share"]) == pytest.approx(subject.mean(), abs=1e-4)


@pytest.mark.skipif(find_spec("pymatting") is None, reason="cutouts need blurmapper[baselines]")
def test_a_cutout_is_transparent_around_the_subject(
    client: Any, photo: bytes, blur_map: Any, half_blurred_photo: Any
) -> None:
    rgba = pixels(client.post("/v1/segment?result=cutout", content=photo))
    np.testing.assert_array_equal(rgba, cut_out(half_blurred_photo, blur_map))


def test_a_missing_extra_is_named_to_those_who_run_the_server(
    client: Any,
    photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "pymatting", None)
    monkeypatch.delattr("blurmapper.applications._matting", raising=False)
    monkeypatch.delitem(sys.modules, "blurmapper.applications._matting", raising=False)
    answer = client.post("/v1/segment?result=cutout", content=photo)
    assert answer.status_code == 501
    assert "lacks a package" in answer.json()["error"]
    assert "pip install" not in answer.json()["error"]
    assert "[baselines]' (pymatting is not installed)" in caplog.text


def test_magnifying_is_the_librarys(
    client: Any, photo: bytes, blur_map: Any, half_blurred_photo: Any
) -> None:
    query = "strength=2&shape=gaussian&format=png"
    magnified = pixels(client.post(f"/v1/magnify?{query}", content=photo))
    expected = magnify_blur(half_blurred_photo, blur_map, strength=2, shape="gaussian")
    np.testing.assert_allclose(magnified, expected, atol=1)


def test_a_photo_comes_back_upright(client: Any, file_as_held: Any, sharp_photo: Any) -> None:
    held = file_as_held(sharp_photo, 6)
    np.testing.assert_array_equal(
        pixels(client.post("/v1/photo?format=png", content=held)), sharp_photo
    )


def test_a_photo_shows_nothing_of_the_one_before(client: Any) -> None:
    """Planes of 16 bits were once laid into memory that held another request's pixels."""
    planes = np.random.default_rng(0).integers(0, 65536, (3, 61, 97), np.uint16)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, planes, photometric="rgb", planarconfig="separate")
    shown = np.rint(np.moveaxis(planes, 0, 2) / 257)
    for grey in (20, 230):
        before = io.BytesIO()
        PIL.Image.new("RGB", (97, 61), (grey,) * 3).save(before, "PNG")
        client.post("/v1/photo?format=png", content=before.getvalue())
        answer = client.post("/v1/photo?format=png", content=buffer.getvalue())
        np.testing.assert_allclose(pixels(answer), shown, atol=1)


@pytest.mark.parametrize("route", ROUTES)
def test_no_photo_gets_one_line_on_every_route(client: Any, route: str) -> None:
    answer = client.post(f"/v1/{route}", content=b"no photo")
    assert answer.status_code == 422
    assert answer.json() == {
        "error": "the photo: not an image file that can be read; convert it to JPEG, PNG or TIFF"
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"no photo", "not an image"),
        (b"GIF89a", "begins as GIF"),
        (None, "damaged"),
    ],
)
def test_broken_files_are_told_apart(
    client: Any, photo: bytes, content: bytes | None, reason: str
) -> None:
    answer = client.post(
        "/v1/map", content=photo[: len(photo) // 2] if content is None else content
    )
    assert answer.status_code == 422
    assert reason in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("map?format=bmp", "format"),
        ("map?of=cats", "of"),
        ("magnify?strength=9", "strength"),
        ("magnify?strength=nan", "strength"),
        ("magnify?strength=inf", "strength"),
        ("overlay?threshold=nan", "threshold"),
        ("overlay?threshold=", "threshold"),
        ("map?fromat=npy", "fromat"),
        ("degree?format=png", "format"),
        ("map?format=png&format=npy", "format"),
        ("map?=1", ""),
    ],
)
def test_a_wrong_parameter_is_named(client: Any, photo: bytes, query: str, named: str) -> None:
    answer = client.post(f"/v1/{query}", content=photo)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{named}: ")


def test_the_description_lists_every_route(client: Any) -> None:
    description = client.get("/openapi.json").json()
    assert set(description["paths"]) == {*(f"/v1/{route}" for route in ROUTES), "/healthz"}
    for route in ROUTES:
        operation = description["paths"][f"/v1/{route}"]["post"]
        assert operation["summary"] and operation["requestBody"]["required"]
        assert {"413", "422", "503"} <= set(operation["responses"])


def test_health_tells_the_limits(client: Any) -> None:
    health = client.get("/healthz").json()
    assert (health["status"], health["waiting"]) == ("ok", 0)
    assert health["limits"]["upload_bytes"] == 64_000_000
