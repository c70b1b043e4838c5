"""Cut-outs and classical methods also work where numba can keep nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from blurmapper.compiled import import_compiled

pytestmark = pytest.mark.skipif(
    not find_spec("numba"), reason="needs the extra blurmapper[baselines]"
)

# Of the places where numba keeps what it compiled this leaves the one that is asked for by name,
# as where neither home nor package can be written.
NOWHERE = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}

FAST = {"NUMBA_DISABLE_JIT": "0", "NUMBA_OPT": "0"}


SMALL = """
import numba

@numba.njit(cache=True)
def double(x):
    return 2 * x

estimate_alpha_cf = estimate_foreground_ml = cf_laplacian = cg = ichol = double
"""
"""A module of one function, which stands for pymatting too: that takes half a minute to compile."""


def run(code: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "temporary").mkdir()
    for name in ("small", "pymatting"):
        (tmp_path / f"{name}.py").write_text(SMALL)
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    temporary = {"TMPDIR": str(tmp_path / "temporary")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment | temporary | FAST | NOWHERE | variables,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )


def test_the_import_fails_there_without_us(tmp_path: Path) -> None:
    assert "no locator available" in run("import small", tmp_path).stderr


@pytest.mark.parametrize(
    "code",
    [
        "from blurmapper.compiled import import_compiled; import_compiled('small').double(1)",
        "from blurmapper.methods import get_method; get_method('zhuo11'); get_method('yi16')",
        (
            "from blurmapper.compiled import import_compiled; "
            "import_compiled('blurmapper.applications._matting')"
        ),
    ],
)
def test_a_folder_of_the_process_is_given_and_cleared(code: str, tmp_path: Path) -> None:
    show = (
        "; import numba, os; print(numba.config.CACHE_DIR, os.stat(numba.config.CACHE_DIR).st_mode)"
    )
    done = run(code + show, tmp_path)
    assert done.returncode == 0, done.stderr
    folder, mode = done.stdout.split()
    assert Path(folder).parent == tmp_path / "temporary"
    assert int(mode) & 0o077 == 0
    assert not list((tmp_path / "temporary").iterdir())


def test_where_no_folder_can_be_written_the_mend_is_named(tmp_path: Path) -> None:
    code = (
        "import tempfile\n"
        "from blurmapper.compiled import import_compiled\n"
        "from blurmapper.errors import ConfigError\n"
        "def refuse(**_): raise PermissionError\n"
        "tempfile.mkdtemp = refuse\n"
        "try: import_compiled('small')\n"
        "except ConfigError as error: print(error)"
    )
    assert "set NUMBA_CACHE_DIR to one" in run(code, tmp_path).stdout


@pytest.mark.parametrize(
    ("variables", "first"),
    [({}, "omp"), ({"NUMBA_THREADING_LAYER_PRIORITY": "tbb omp workqueue"}, "tbb")],
)
def test_numba_takes_threads_of_its_own_unless_told(
    variables: dict[str, str], first: str, tmp_path: Path
) -> None:
    code = (
        "from blurmapper.compiled import import_compiled; import_compiled('small')\n"
        "import numba; print(*numba.config.THREADING_LAYER_PRIORITY)"
    )
    assert run(code, tmp_path, **variables).stdout.split()[0] == first


def test_another_error_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_package.py").write_text("raise RuntimeError('of its own')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="of its own"):
        import_compiled("broken_package")
