"""Claims on training runs: who may start one, go on with one, and where."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from blurmapper.errors import BlurMapperError, ConfigError
from blurmapper.training.running import LOCK, train
from blurmapper.training.storage import read_checkpoint, write_checkpoint


def test_a_run_is_not_overwritten(config: Path) -> None:
    train(config, overrides=["iterations=1"])
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: exists; give --resume"):
        train(config)


def test_two_runs_in_one_folder_are_one_too_many(config: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (
        FileLock(tmp_path / "run" / LOCK),
        pytest.raises(ConfigError, match="run: another process trains there; wait for it, or"),
    ):
        train(config)
    train(config, overrides=["iterations=1"])


@pytest.mark.parametrize("name", ["checkpoint.pt", "log.jsonl", LOCK])
def test_a_run_goes_through_no_link(name: str, config: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to("../mine")
    with pytest.raises(BlurMapperError, match=f"run/{name}: "):
        train(config, resume=True)
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_run_goes_on_with_as_many_processes_as_it_began(config: Path) -> None:
    state = read_checkpoint(path := train(config, overrides=["iterations=1"]))
    write_checkpoint({**state, "processes": 4}, path)
    said = r"checkpoint\.pt: begun by 4 processes; give torchrun --nproc-per-node 4"
    with pytest.raises(ConfigError, match=said):
        train(config, resume=True)


TRAIN_AND_LIST_THREADS = """
import sys
from contextlib import suppress
from pathlib import Path

from blurmapper.training.running import train

train(Path(sys.argv[1]))
threads = []
for task in Path("/proc/self/task").iterdir():
    with suppress(OSError):  # it ends just now
        threads.append((task / "comm").read_text())
assert not [name for name in threads if "gloo" in name], threads
"""
"""A thread of the group that outlives it aborts the process now and then, as it ends."""


@pytest.mark.slow
def test_two_processes_train_one_network(config: Path, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(TRAIN_AND_LIST_THREADS)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    finished = subprocess.run(
        [*launcher, str(script), str(config)],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert read_checkpoint(tmp_path / "run/checkpoint.pt")["step"] == 6
