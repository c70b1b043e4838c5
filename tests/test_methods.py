"""One table of methods."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.errors import (
    BlurMapperError,
    MethodError,
    MissingExtraError,
    WeightsError,
    install_command,
)
from blurmapper.evaluation.selection import name_method
from blurmapper.mapper import BlurMapper
from blurmapper.methods import METHODS, MethodOptions, get_method, identify_method
from blurmapper.weights import bundled_names, read_card, write_card

NOT_CLASSICAL = [name for name, method in METHODS.items() if method.kind != "baseline"]
"""The classical methods have a contract of their own, tests/baselines/test_contract.py."""


@pytest.mark.parametrize("name", NOT_CLASSICAL)
@pytest.mark.parametrize(("height", "width"), [(16, 16), (61, 97)])
def test_every_method_gives_a_map_of_the_photos_size(name: str, height: int, width: int) -> None:
    if METHODS[name].kind == "network" and name not in bundled_names():
        pytest.skip(f"the weights {name} are not in this checkout")
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    blur_map = get_method(name)(photo)
    assert blur_map.shape == (height, width)
    assert blur_map.dtype == np.float32
    assert 0 <= blur_map.min() and blur_map.max() <= 1


def test_weights_may_be_named_by_a_path(tiny_weights: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    expected = BlurMapper(tiny_weights)(photo)
    np.testing.assert_array_equal(get_method(tiny_weights)(photo), expected)


@pytest.mark.parametrize("name", METHODS)
def test_a_row_is_found_under_its_own_name(name: str) -> None:
    assert METHODS[name].name == name == name.lower()
    assert "\n" not in METHODS[name].summary


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(NOT_CLASSICAL)))
def test_without_its_extra_a_classical_method_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in list(sys.modules):
        if module.startswith("blurmapper.baselines."):
            monkeypatch.delitem(sys.modules, module)
    for missing in ("numba", "pymatting", "scipy", "skimage"):
        for module in [m for m in sys.modules if m.partition(".")[0] == missing]:
            monkeypatch.setitem(sys.modules, module, None)
        monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("baselines"))):
        get_method(name)


def test_a_wrong_name_lists_the_choices() -> None:
    with pytest.raises(MethodError, match="no method named 'dmb'; choose from: dbm-lite, dbm"):
        get_method("dmb")


def test_a_path_is_a_method_too(
    tiny_weights: Path, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    blur_map = get_method(str(tiny_weights))(half_blurred_photo)
    assert blur_map[:, 80:].mean() > blur_map[:, :48].mean() + 0.5


def test_a_folder_of_weights_is_a_method_too(tiny_weights: Path, tmp_path: Path) -> None:
    saved = str(BlurMapper(tiny_weights).save_pretrained(tmp_path / "a:b"))
    photo = np.zeros((32, 48, 3), np.uint8)
    expected = get_method(str(tiny_weights))(photo)
    for named in (saved, f"{saved}/", f"{saved}/tiny.onnx"):
        np.testing.assert_array_equal(get_method(named)(photo), expected)
        assert identify_method(named) == identify_method(str(tiny_weights))
    assert [name_method(named) for named in (saved, f"{saved}/")] == ["a:b", "a:b"]


def test_a_folder_without_a_card_is_no_method(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="no method named"):
        get_method(str(tmp_path))


def test_a_path_to_nothing_is_an_error_of_ours() -> None:
    with pytest.raises(WeightsError, match=r"none\.onnx: no such weights file"):
        get_method("none.onnx")


def test_options_reach_the_network(
    tiny_weights: Path, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    refined = get_method(str(tiny_weights))(half_blurred_photo)
    plain = get_method(str(tiny_weights), MethodOptions(refine=False))(half_blurred_photo)
    assert np.abs(refined - plain).max() > 0.01
    with pytest.raises(BlurMapperError, match="working side"):
        get_method(str(tiny_weights), MethodOptions(working_side=1))


def test_all_blurred_is_what_it_says() -> None:
    assert (get_method("all-blurred")(np.zeros((16, 20, 3), np.uint8)) == 1).all()


@pytest.fixture
def own_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Lay a function of one's own in the current folder, and name it."""
    (tmp_path / "ours_for_a_test.py").write_text(
        "import functools\n"
        "import numpy as np\n"
        "def half(image): return np.full(image.shape[:2], 0.5)\n"
        "def wide(image): return np.full(image.shape[:2], 255)\n"
        "def flat(image): return 0.5\n"
        "def over(image): return np.full(image.shape[:2], np.float32(1 + 1.2e-7))\n"
        "def beyond(image): return np.full(image.shape[:2], 1.0001)\n"
        "def two(image): return half(image), 1\n"
        "def broken(image): raise RuntimeError('CUDA:\\nout of memory')\n"
        "def leaving(image): raise SystemExit(3)\n"
        "class Tensor:\n"
        "    def __array__(self, *a, **k): raise RuntimeError('use detach()')\n"
        "def tensor(image): return Tensor()\n"
        "number = 3\n"
        "part = functools.partial(half)\n"
        "class Net:\n"
        "    def __call__(self, image): return half(image)\n"
        "net = Net()\n"
        "net_part = functools.partial(net)\n"
        "method = net.__call__\n"
        "built_in = functools.partial(max)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "ours_for_a_test", raising=False)
    return "ours_for_a_test:half"


def test_an_object_whose_class_is_elsewhere_is_made_of_both(own_method: str) -> None:
    ours = f"{own_method.partition(':')[0]}.py"
    Path("holder_for_a_test.py").write_text("from ours_for_a_test import net\n")
    for file in ("holder_for_a_test.py", ours):
        before = identify_method("holder_for_a_test:net")
        with Path(file).open("a") as opened:
            opened.write("# altered\n")
        assert identify_method("holder_for_a_test:net") != before
    assert identify_method("operator:abs") != identify_method("operator:neg")


def test_what_is_installed_comes_before_the_current_folder(own_method: str) -> None:
    get_method(own_method)
    assert sys.path[-1] == str(Path.cwd()) and sys.path.count(sys.path[-1]) == 1


def test_a_module_of_pythons_own_that_is_found_for_yours_is_named_by_its_file(
    own_method: str,
) -> None:
    assert own_method
    Path("json.py").write_text("def half(image): ...\n")
    line = rf"has no attribute 'half'\); that is {re.escape(json.__file__)}: correct the name, or"
    with pytest.raises(MethodError, match=line):
        get_method("json:half")


@pytest.mark.parametrize("name", ["half", "part", "net", "net_part", "method"])
def test_a_function_or_an_object_of_ones_own_is_a_method(own_method: str, name: str) -> None:
    blur_map = get_method(own_method.replace("half", name))(np.zeros((4, 6, 3), np.uint8))
    assert blur_map.dtype == np.float32
    np.testing.assert_array_equal(blur_map, np.full((4, 6), 0.5, np.float32))


@pytest.mark.parametrize(
    ("function", "value"), [("wide", "255"), ("flat", "0.5"), ("beyond", "1.0001")]
)
def test_what_is_no_blur_map_is_refused(own_method: str, function: str, value: str) -> None:
    method = get_method(own_method.replace("half", function))
    line = rf"{function}: gave .* from {value} to {value} for .* values from 0 to 1"
    with pytest.raises(MethodError, match=line):
        method(np.zeros((4, 6, 3), np.uint8))


def test_what_rounding_leaves_beyond_one_is_one(own_method: str) -> None:
    blur_map = get_method(own_method.replace("half", "over"))(np.zeros((4, 6, 3), np.uint8))
    np.testing.assert_array_equal(blur_map, np.ones((4, 6), np.float32))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("two", "setting an array element.*"),
        ("Net", r".*takes 1 positional argument but 2 were given|Net\(\) takes no arguments"),
        ("broken", "CUDA: out of memory"),
        ("leaving", "3"),
        ("tensor", r"use detach\(\)"),
    ],
)
def test_a_function_that_fails_is_named_in_one_line(
    own_method: str, function: str, reason: str
) -> None:
    method = get_method(own_method.replace("half", function))
    line = rf"^ours_for_a_test:{function}: fails for a photo \(4, 6\) \(({reason})\); [^\n]*$"
    with pytest.raises(MethodError, match=line):
        method(np.zeros((4, 6, 3), np.uint8))


@pytest.mark.parametrize(
    ("code", "reason"),
    [("x = = 1", "invalid syntax.*"), ("raise RuntimeError('no GPU')", "no GPU"), ("exit(3)", "3")],
)
def test_a_module_that_fails_is_one_line(own_method: str, code: str, reason: str) -> None:
    assert own_method
    Path("failing_for_a_test.py").write_text(f"{code}\n")
    with pytest.raises(MethodError, match=rf"cannot be imported \({reason}\); write package"):
        get_method("failing_for_a_test:half")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ours_for_a_test:missing", "cannot be imported"),
        ("no_such_module:half", "cannot be imported"),
        (":half", "cannot be imported"),
        ("ours_for_a_test:number", "is no function"),
    ],
)
def test_a_function_that_there_is_not_is_named(own_method: str, name: str, line: str) -> None:
    assert own_method
    with pytest.raises(MethodError, match=f"{name}: {line}"):
        get_method(name)


@pytest.mark.parametrize("name", ["half", "part", "net", "net_part", "method", "built_in"])
def test_maps_of_an_altered_function_or_object_are_made_anew(own_method: str, name: str) -> None:
    own_method = own_method.replace("half", name)
    before = identify_method(own_method)
    with Path("ours_for_a_test.py").open("a") as file:
        file.write("# altered\n")
    assert identify_method(own_method) != before
    assert identify_method("hifst").startswith("hifst ")


def test_a_network_that_is_fed_otherwise_makes_its_maps_anew(
    tiny_weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / tiny_weights.name
    path.write_bytes(tiny_weights.read_bytes())
    card = read_card(tiny_weights.with_suffix(".json"))
    write_card(replace(card, training="told otherwise"), path.with_suffix(".json"))
    assert identify_method(str(path)) == identify_method(str(tiny_weights))
    larger = replace(card.preprocessing, working_side=256)
    write_card(replace(card, preprocessing=larger), path.with_suffix(".json"))
    assert identify_method(str(path)) != identify_method(str(tiny_weights))


def test_maps_of_what_has_learnt_anew_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = identify_method("liu08"), identify_method("su11")
    monkeypatch.setattr("blurmapper.baselines.FITTED", tmp_path)
    (tmp_path / "liu08.json").write_text("{}")
    assert identify_method("liu08") != before[0]
    assert identify_method("su11") == before[1]


@pytest.mark.parametrize("name", ["dbm-lite", "hifst", "operator:abs", "all-blurred"])
def test_of_another_version_no_map_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = identify_method(name)
    monkeypatch.setattr("blurmapper.__version__", "0.0")
    assert identify_method(name) != before
