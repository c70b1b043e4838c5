"""What was painted on since it was written is the user's; what a killed run wrote is ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blurmapper.batch import DoneBefore, How, Outputs, PhotoFailure, Result, find_photos, run_task

from .test_claims import draw, out, run
from .test_run import MapNothing

__all__ = ["out"]


def test_an_output_that_was_painted_on_is_the_user_s(out: Path) -> None:
    with_overlay = MapNothing("", outputs=Outputs(overlay=True))
    assert run(out, with_overlay) == []
    mine = draw(out / "a.png.overlay.jpg")
    # Neither what writes other files nor a photo that has moved makes it ours again.
    assert run(out, MapNothing("", outputs=Outputs("16"))) == []
    (out.parent / "in").rename(out.parent / "old")
    (out.parent / "old").rename(out.parent / "in")
    for _ in range(2):
        (error,) = run(out, with_overlay)
        line = "was changed after it was written and is left as it is; move it, or let --redo"
        assert error.startswith(f"{out / 'a.png.overlay.jpg'}: {line} replace it")
        assert (out / "a.png.overlay.jpg").read_bytes() == mine
    assert run(out, with_overlay, How(redo=True)) == []
    assert b"mine" not in (out / "a.png.overlay.jpg").read_bytes()
    assert run(out, MapNothing("", outputs=Outputs("16", overlay=True))) == []


def test_a_map_that_was_painted_on_is_kept_where_its_photo_was_moved(out: Path) -> None:
    assert run(out, MapNothing("")) == []
    mine = draw(out / "a.png.blur.png")
    (out.parent / "in").rename(out.parent / "other")
    task, moved = MapNothing(""), find_photos([out.parent / "other"])
    assert all(isinstance(each, Result) for each in run_task(task, moved, out))
    failed = next(run_task(MapNothing("", outputs=Outputs("16")), moved, out))
    assert isinstance(failed, PhotoFailure)
    assert "was changed after it was written" in str(failed.error)
    assert (out / "a.png.blur.png").read_bytes() == mine


@pytest.mark.parametrize("digests", [None, 5, "none", {}, {"a.png.blur.png": None}])
def test_what_a_line_without_digests_names_gives_way(digests: object, out: Path) -> None:
    run(out, MapNothing(""))
    manifest = out / "maps.jsonl"
    lines = [json.loads(line) | {"digests": digests} for line in manifest.read_text().splitlines()]
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    draw(out / "a.png.blur.png")
    assert run(out, MapNothing("", outputs=Outputs("16"))) == []
    assert b"mine" not in (out / "a.png.blur.png").read_bytes()


def test_what_a_killed_run_wrote_over_older_files_gives_way_after_any_other_run(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = MapNothing("", outputs=Outputs("16"))
    run(out, MapNothing(""))
    with monkeypatch.context() as context:
        context.setattr(DoneBefore, "add", lambda *_: None)
        context.setattr(DoneBefore, "__exit__", lambda kept, *_: kept.manifest.close())
        run(out, deep)
    list(run_task(deep, find_photos([out.parent / "in" / "b.png"]), out))
    assert run(out, MapNothing("", settings="other")) == []
