from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from click.testing import CliRunner

from blurmapper.commands._parameters import to_command
from blurmapper.commands.evaluate import evaluate
from blurmapper.errors import BlurMapperError, ConfigError, ImageError

Run = Callable[..., str]

NAMES = ("motion0001", "motion0002", "out_of_focus0003", "out_of_focus0004")


@pytest.fixture
def run(benchmark_folder: Path) -> Run:
    """Call the command on the four photos; an error of ours is raised as it is."""
    app = to_command("evaluate", evaluate)

    def call(*arguments: str, status: int = 0) -> str:
        common = ["--data", str(benchmark_folder), "-o", str(benchmark_folder / "out")]
        result = CliRunner().invoke(app, [*common, *arguments])
        if isinstance(result.exception, BlurMapperError):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.output

    return call


def test_finished_maps_are_scored_by_their_folders_name(run: Run, benchmark_folder: Path) -> None:
    rows = benchmark_folder / "rows.json"
    output = run(
        *("--maps", str(benchmark_folder / "rough"), "--polarity", "sharp"),
        *("--split", "even", "--protocol", "paper", "--json", str(rows)),
    )
    assert "even: 2 photos, protocol paper" in output
    assert output.index("everything is blurred") < output.index("rough")
    first, second = json.loads(rows.read_text())
    assert (first["method"], second["method"]) == ("all-blurred", "rough")
    assert (second["protocol"], second["images"]) == ("paper", 2)
    assert second["ods"] > 0.9


def test_maps_read_the_wrong_way_round_are_told_of(run: Run, benchmark_folder: Path) -> None:
    maps = ["--maps", str(benchmark_folder / "rough")]
    assert "rough: worse than chance; if white is sharp in these maps, score them with" in run(
        *maps
    )
    assert "worse than chance" not in run(*maps, "--polarity", "sharp")


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "..", "c:x"])
def test_a_name_of_a_row_leads_nowhere_else(name: str, run: Run, benchmark_folder: Path) -> None:
    before = sorted(benchmark_folder.rglob("*"))
    with pytest.raises(ConfigError, match=f"'{name}' names no row; write NAME=DIR"):
        run("--maps", f"{name}={benchmark_folder / 'soft'}")
    assert sorted(benchmark_folder.rglob("*")) == before


def test_methods_and_maps_stand_side_by_side(
    run: Run, benchmark_folder: Path, tiny_weights: Path
) -> None:
    output = run(
        *("--method", str(tiny_weights), "--maps", f"tool={benchmark_folder / 'soft'}"),
        *("--maps", str(benchmark_folder / "rough")),
        *("--polarity", "blurred", "--polarity", "sharp"),
    )
    for name in ("tool", "rough", "tiny", "Difference to tool"):
        assert name in output


def test_a_method_of_which_maps_are_given_is_not_run(run: Run, benchmark_folder: Path) -> None:
    output = run("--method", "hifst", "--maps", f"hifst={benchmark_folder / 'soft'}")
    assert "hifst" in output


def test_a_plain_pair_of_folders(run: Run, benchmark_folder: Path) -> None:
    output = run(
        *("--data", str(benchmark_folder / "image"), "--masks", str(benchmark_folder / "gt")),
        *("--masks-polarity", "sharp", "--method", "all-blurred"),
    )
    assert "image: 4 photos" in output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--masks-polarity", "sharp"], "--masks-polarity is of --masks; give them, or leave"),
        (["--polarity", "sharp"], "--polarity is of finished maps; give --maps, or leave it out"),
        (["--resize"], "--resize is of finished maps; give --maps, or leave it out"),
    ],
)
def test_what_an_option_is_of_has_to_be_given(run: Run, options: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        run("--method", "all-blurred", *options)


def test_methods_are_stretched_as_maps_are(run: Run) -> None:
    plain, stretched = (
        json.loads(run("--method", "hifst", *options, "--json", "-"))
        for options in ([], ["--stretch"])
    )
    assert plain != stretched


def test_tables_are_written_in_every_form(run: Run, benchmark_folder: Path) -> None:
    files = {form: benchmark_folder / "tables" / form for form in ("csv", "markdown", "latex")}
    options = [word for form, path in files.items() for word in (f"--{form}", str(path))]
    run("--maps", str(benchmark_folder / "soft"), "--subsets", *options)
    assert all("soft" in path.read_text() for path in files.values())


def test_rows_are_printed_for_other_programs(run: Run, benchmark_folder: Path) -> None:
    rows = json.loads(run("--maps", str(benchmark_folder / "soft"), "--json", "-"))
    assert {row["method"] for row in rows} >= {"soft"}
    table = run("--maps", str(benchmark_folder / "soft"), "--csv", "-")
    assert table.startswith("method,protocol,subset")
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "nothing to score"),
        (["--method", "magic"], "no method named 'magic'; choose from: "),
        (["--maps", "nowhere"], "nowhere: no such folder"),
        (["--maps", "a=.", "--maps", "a=.."], "two rows would be called a"),
        (["--maps", "all-blurred=."], "two rows would be called all-blurred"),
        (["--maps", "a=.", "--method", "mine:a"], "two rows would be called a"),
        (["--maps", "hifst=.", "--method", "mine:hifst"], "two rows would be called hifst"),
        (["--method", "mine:hifst", "--method", "hifst"], "two rows would be called hifst"),
        (["--method", "all-blurred.onnx"], "two rows would be called all-blurred"),
        (["--maps", "a=.", "--polarity", "sharp", "--polarity", "sharp"], "--polarity"),
        (
            ["--method", "all-blurred", "--names", "nowhere.txt"],
            "nowhere.txt: no list of names (No such",
        ),
        (["--method", "all-blurred", "--data", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_bad_input_is_one_clear_line(run: Run, arguments: list[str], line: str) -> None:
    with pytest.raises(BlurMapperError) as raised:
        run(*arguments)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_polarity_is_a_usage_error(run: Run) -> None:
    assert "'up' is not one of" in run("--maps", ".", "--polarity", "up", status=2)


@pytest.mark.parametrize("kind", ["json", "csv", "markdown", "latex", "report"])
def test_only_earlier_tables_are_written_anew(
    kind: str, run: Run, benchmark_folder: Path, tmp_path: Path
) -> None:
    if kind == "report":
        pytest.importorskip("matplotlib", reason="reports need matplotlib")
    options = ("--maps", str(benchmark_folder / "soft"), f"--{kind}", str(tmp_path / "file"))
    run(*options)
    run(*options)
    assert b"soft" in (tmp_path / "file").read_bytes()
    (tmp_path / "file").write_text("<!doctype html>\n**mine**")
    with pytest.raises(ImageError, match="is not of blurmapper's making"):
        run(*options)
    assert (tmp_path / "file").read_text() == "<!doctype html>\n**mine**"


def test_a_photo_in_the_place_of_a_figure_is_named_before_the_work(
    run: Run, benchmark_folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    (tmp_path / "best.png").write_bytes(b"\x89PNG\r\n\x1a\n mine")
    with pytest.raises(ImageError, match=r"best\.png: is not of blurmapper's making"):
        run("--maps", str(benchmark_folder / "soft"), "--figures", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["best.png"]


def test_no_figure_goes_through_a_link(run: Run, benchmark_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "best.png").symlink_to("mine")
    with pytest.raises(ImageError, match=r"best\.png: is not of .*; move away the link"):
        run("--maps", str(benchmark_folder / "soft"), "--figures", str(tmp_path))
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("other", [["--csv", "best.png"], ["--figures", "."]])
def test_two_outputs_at_one_path_are_refused_at_once(
    other: list[str],
    run: Run,
    benchmark_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="two outputs would go there"):
        run("--maps", str(benchmark_folder / "soft"), "--report", "best.png", *other)
    assert not Path("best.png").exists()


def plain(folder: Path) -> list[str]:
    return ["--data", str(folder / "image")]


def write_masks(folder: Path, pixels: npt.NDArray[np.uint8]) -> str:
    folder.mkdir()
    for name in NAMES:
        PIL.Image.fromarray(pixels).save(folder / f"{name}.png")
    return str(folder)


@pytest.mark.parametrize(
    ("value", "line"), [(255, "no mask has a sharp pixel"), (0, "no mask has a blurred pixel")]
)
def test_masks_that_tell_nothing_are_told_of(
    value: int, line: str, run: Run, benchmark_folder: Path
) -> None:
    masks = write_masks(benchmark_folder / "masks", np.full((32, 48), value, np.uint8))
    assert line in run(
        *plain(benchmark_folder), "--masks", masks, "--maps", str(benchmark_folder / "soft")
    )


def test_undecided_pixels_of_plain_masks_are_told_of(run: Run, benchmark_folder: Path) -> None:
    pixels = np.zeros((32, 48), np.uint8)
    pixels[:10], pixels[10:20] = 255, 128
    masks = write_masks(benchmark_folder / "masks", pixels)
    output = run(
        *plain(benchmark_folder), "--masks", masks, "--maps", str(benchmark_folder / "soft")
    )
    assert "4 of 4 masks hold 128: taken for undecided" in output
    assert "hold 128" not in run("--maps", str(benchmark_folder / "soft"))


def test_masks_of_classes_are_scored_as_black_and_white_ones(
    run: Run, benchmark_folder: Path
) -> None:
    rows = []
    for high in (1, 255):
        pixels = np.zeros((32, 48), np.uint8)
        pixels[:, 20:] = high
        file = benchmark_folder / f"{high}.json"
        masks = write_masks(benchmark_folder / f"masks{high}", pixels)
        run(
            *plain(benchmark_folder),
            "--masks",
            masks,
            "--maps",
            str(benchmark_folder / "soft"),
            "--json",
            str(file),
        )
        rows.append(json.loads(file.read_text()))
    assert rows[0] == rows[1]
    assert rows[0][1]["ods"] > 0.5


def test_masks_the_wrong_way_round_are_told_of(
    run: Run, benchmark_folder: Path, tiny_weights: Path
) -> None:
    images, masks = benchmark_folder / "image", benchmark_folder / "gt"
    options = ["--data", str(images), "--masks", str(masks), "--method", str(tiny_weights)]
    assert "give --masks-polarity" in run(*options, "--masks-polarity", "sharp")
    assert "--masks-polarity" not in run(*options)
