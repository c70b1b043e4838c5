"""The page, in headless Chromium: photos come in, are compared, worked on and saved."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ExifTags

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
api = pytest.importorskip("playwright.sync_api", reason="needs the dependency group browser")
expect = api.expect

from blurmapper.web import Limits  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Serve

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
Upload = dict[str, Any]
VIEWS = ("map", "overlay", "kinds", "segment", "magnify")


@pytest.fixture
def sharp(sharp_photo: npt.NDArray[np.uint8]) -> Upload:
    """A photo that is sharp all over."""
    return upload(sharp_photo, "sharp.png", "PNG")


BROKEN = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"}


def upload(pixels: npt.NDArray[np.uint8], name: str, kind: str, **options: Any) -> Upload:
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, kind, **options)
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": buffer.getvalue()}


def add(page: Any, *photos: Upload) -> None:
    """Choose photos, and wait until each is mapped or refused."""
    page.set_input_files("#files", list(photos))
    expect(page.locator("#rows li.done, #rows li.failed")).to_have_count(len(photos))
    expect(page.locator("#busy")).to_be_hidden()


def show(page: Any, view: str) -> None:
    page.check(f'[name="view"][value="{view}"]', force=True)
    expect(page.locator("#busy")).to_be_hidden()


def split_of(page: Any) -> float:
    return float(
        page.locator("#frame").evaluate("f => parseFloat(f.style.getPropertyValue('--split'))")
    )


def titles(page: Any) -> list[str]:
    names: list[str] = page.locator("#rows .title").all_text_contents()
    return names


def test_a_photo_gets_its_map_and_figures(open_page: Open, client: Any, good: Upload) -> None:
    page = open_page()
    add(page, good)
    figures = client.post("/v1/degree", content=good["buffer"]).json()
    assert page.text_content("#degree") == f"{figures['blur_degree']:.2f}"
    assert page.text_content("#share") == f"{100 * figures['share_blurred']:.0f}%"
    assert page.text_content("#size") == "128 \u00d7 96"
    expect(page.locator("#made")).to_have_js_property("naturalWidth", 128)


def test_photos_can_be_dropped(open_page: Open, good: Upload) -> None:
    page = open_page()
    dropped = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
            return transfer;
        }""",
        list(good["buffer"]),
    )
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    expect(page.locator("#rows li.done .title")).to_have_text("dropped.png")


def test_a_sample_is_one_click_away(open_page: Open) -> None:
    page = open_page()
    page.click("text=Coffee")
    expect(page.locator("#rows li.done .title")).to_have_text("coffee.jpg")


def test_the_line_follows_mouse_keys_and_finger(open_page: Open, good: Upload) -> None:
    page = open_page(has_touch=True)
    add(page, good)
    box = page.locator("#frame").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.5 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], middle, steps=3)
    page.mouse.up()
    assert split_of(page) == pytest.approx(80, abs=1)
    page.keyboard.press("ArrowLeft")
    assert split_of(page) == pytest.approx(79, abs=1)
    page.keyboard.press("Home")
    assert split_of(page) == 0
    page.touchscreen.tap(box["x"] + 0.3 * box["width"], middle)
    assert split_of(page) == pytest.approx(30, abs=1)


def test_every_view_shows_a_picture_of_its_own(open_page: Open, good: Upload) -> None:
    pytest.importorskip("pymatting", reason="cutouts need the extra blurmapper[baselines]")
    page = open_page()
    add(page, good)
    for view in VIEWS:
        show(page, view)
        assert page.locator("#drawn:visible, #made:visible").count() == 1
        assert page.locator("#failure").is_hidden()
        assert page.locator("#controls > div:visible").get_attribute("data-view") == view


def test_the_threshold_moves_what_is_tinted(open_page: Open, good: Upload) -> None:
    page = open_page()
    add(page, good)
    show(page, "overlay")
    page.uncheck("#soft")
    tinted = []
    for threshold in ("0.02", "0.98"):
        page.fill("#threshold", threshold)
        expect(page.locator("#above")).to_contain_text(f"probability of {threshold} or more")
        tinted.append(int(page.text_content("#above").partition("%")[0]))
    assert tinted[0] > tinted[1]


def test_the_page_draws_the_overlay_that_the_server_saves(
    open_page: Open, client: Any, good: Upload
) -> None:
    page = open_page()
    add(page, good)
    show(page, "overlay")
    pixels = page.locator("#drawn").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    drawn = np.array(pixels, np.uint8).reshape(96, 128, 4)[..., :3]
    saved = client.post("/v1/overlay?format=png", content=good["buffer"]).content
    # The page knows the map in 8 bits.
    difference = drawn.astype(int) - np.asarray(PIL.Image.open(io.BytesIO(saved)))
    assert np.abs(difference).max() <= 2


def test_what_is_saved_is_the_servers(open_page: Open, client: Any, good: Upload) -> None:
    page = open_page()
    add(page, good)
    for view, label, name, asked in (
        ("map", "Save PNG", "half.png.blur.png", "map?format=png"),
        ("map", "NumPy", "half.png.blur.npy", "map?format=npy"),
        ("kinds", "Save motion", "half.png.motion.png", "map?of=motion"),
        ("overlay", "Save JPEG", "half.png.overlay.jpg", "overlay?format=jpeg"),
        ("magnify", "PNG", "half.png.magnified.png", "magnify?format=png&strength=1.5"),
    ):
        show(page, view)
        with page.expect_download() as waiting:
            page.get_by_role("button", name=label, exact=True).click()
        assert waiting.value.suggested_filename == name
        expected = client.post(f"/v1/{asked}", content=good["buffer"]).content
        assert waiting.value.path().read_bytes() == expected


def test_a_wrong_file_gets_its_line_and_the_others_their_maps(
    open_page: Open, good: Upload, sharp: Upload
) -> None:
    page = open_page()
    add(page, good, BROKEN, sharp)
    expect(page.locator("#rows li.done")).to_have_count(2)
    line = "not an image file that can be read; convert it to JPEG, PNG or TIFF"
    expect(page.locator("#rows li.failed .state")).to_have_text(line)
    page.click("text=notes.jpg")
    expect(page.get_by_role("alert")).to_contain_text(line)


def test_what_cannot_be_saved_is_said_until_something_can(
    open_page: Open, serve: Serve, method: Any, good: Upload, sharp: Upload
) -> None:
    with serve(method) as server:
        page = open_page(server=server)
        add(page, good, sharp)
    page.click("#all")
    gone = "was not saved: the server does not answer; is blurmapper serve still running?"
    expect(page.locator("#trouble")).to_have_text(f"half.png {gone}\nsharp.png {gone}")
    expect(page.locator("#trouble")).to_be_in_viewport()
    page.set_input_files("#files", [BROKEN])
    expect(page.locator("#trouble")).to_be_hidden()


def test_photos_are_mapped_once_the_server_says_what_it_can(open_page: Open, good: Upload) -> None:
    page = open_page("/docs")
    page.route("**/healthz", lambda route: route.abort())
    page.click("text=Page")
    expect(page.locator("#trouble")).to_contain_text("is blurmapper serve still running?")
    page.set_input_files("#files", [good])
    page.unroute("**/healthz")
    expect(page.locator("#rows li.done")).to_have_count(1)
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_sample_that_does_not_come_has_its_line(
    open_page: Open, serve: Serve, method: Any
) -> None:
    with serve(method) as server:
        page = open_page(server=server)
        # Until it has heard of the server, the page says now and then that it has not.
        expect(page.locator("#promise")).to_contain_text("megapixels each")
    page.click("text=Coffee")
    expect(page.locator("#trouble")).to_have_text(
        "coffee.jpg: the server does not answer; is blurmapper serve still running?"
    )


def test_a_file_that_has_changed_since_is_asked_for_again(
    open_page: Open, good: Upload, tmp_path: Path
) -> None:
    page, path = open_page(), tmp_path / "half.png"
    path.write_bytes(good["buffer"])
    page.set_input_files("#files", path)
    expect(page.locator("#rows li.done")).to_have_count(1)
    expect(page.locator("#busy")).to_be_hidden()
    path.write_bytes(good["buffer"] + b"!")
    page.get_by_role("button", name="NumPy", exact=True).click()
    expect(page.locator("#trouble")).to_have_text(
        "half.png was not saved: its file has changed or is gone; add the photo again"
    )


def test_a_file_that_is_too_large_is_not_sent(
    open_page: Open, serve: Serve, method: Any, good: Upload
) -> None:
    with serve(method, Limits(upload_bytes=1000)) as server:
        page = open_page(server=server)
        sent = []
        page.on("request", lambda request: sent.append(request.method))
        add(page, good)
        expect(page.locator("#rows li.failed .state")).to_contain_text("this server takes 0.0")
    assert "POST" not in sent


def test_a_photo_that_browsers_do_not_show_is_shown(
    open_page: Open, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    page = open_page()
    add(page, upload(half_blurred_photo, "scan.tif", "TIFF"))
    expect(page.locator("#photo")).to_have_js_property("naturalWidth", 128)


def test_a_photo_that_browsers_do_not_turn_is_turned(open_page: Open) -> None:
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    white_above = np.repeat(np.uint8([255, 0]), 48)[:, None, None] * np.ones((1, 128, 3), np.uint8)
    page = open_page()
    add(page, upload(white_above, "a.webp", "WEBP", exif=exif))
    expect(page.locator("#photo")).to_be_visible()
    levels = page.locator("#photo").evaluate(
        "photo => { const canvas = new OffscreenCanvas(128, 96).getContext('2d');"
        "canvas.drawImage(photo, 0, 0); return canvas.getImageData(9, 0, 1, 96).data; }"
    )
    assert levels[0] < 20 and levels[380] > 235


def test_photos_are_ranked(open_page: Open, good: Upload, sharp: Upload) -> None:
    page = open_page()
    add(page, good, BROKEN, sharp)
    assert titles(page) == ["half.png", "notes.jpg", "sharp.png"]
    page.select_option("#measure", "blur_degree")
    page.select_option("#order", "sharpest")
    assert titles(page) == ["sharp.png", "half.png", "notes.jpg"]
    page.select_option("#order", "blurriest")
    assert titles(page) == ["half.png", "sharp.png", "notes.jpg"]
    with page.expect_download() as waiting:
        page.click("#csv")
    lines = waiting.value.path().read_text().splitlines()
    assert [line.partition(",")[0] for line in lines[1:]] == [
        "half.png",
        "sharp.png",
        "notes.jpg",
    ]


def test_removing_the_last_photo_leads_back(open_page: Open, good: Upload) -> None:
    page = open_page()
    add(page, good)
    page.get_by_label("Remove half.png").click()
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator("#work")).to_be_hidden()
