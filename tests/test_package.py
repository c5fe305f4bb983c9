"""As it is installed: one name to start and import it by, which says what stands in its way."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

import machine
from machine import ROOT

PACKAGE = "backprop_playground"
SHOWN = {"templates", "__main__"}  # listings of lessons, and what starts when it is imported
ENGINE = "from backprop_playground import engine, __version__; print(engine.Spec.make().dataset, __version__)"
START = "import sys, backprop_playground; sys.argv = ['x', '--version']; backprop_playground.main()"


def run(code: str, path: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """The code in an interpreter that finds modules in these folders first."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=machine.PATIENCE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked as pip would."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=machine.PATIENCE)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_has_all_that_a_checkout_has(wheel: Path, tmp_path: Path) -> None:
    """It is imported by its one name, has the same templates and files, and its command is under that name."""
    assert [each.name for each in wheel.iterdir() if each.suffix != ".dist-info"] == ["backprop_playground"]
    for home in (wheel, ROOT):
        assert run(ENGINE, [home], tmp_path).stdout.split() == ["circle", run(START, [home], tmp_path).stdout.strip()]
    lists = "import {}app.assets as a; print(len(list(a.TEMPLATES.rglob('*'))), len(list(a.STATIC.rglob('*'))))"
    told = [run(lists.format(name), [home], tmp_path).stdout for home, name in ((wheel, f"{PACKAGE}."), (ROOT, ""))]
    assert told[0] == told[1] != ""
    scripts = next(wheel.glob("*.dist-info/entry_points.txt")).read_text()
    assert "backprop-playground = backprop_playground:main" in scripts


def test_every_module_of_a_wheel_is_found_beside_a_foreign_engine_and_app(wheel: Path, tmp_path: Path) -> None:
    """What a student has, micrograd's engine.py or a project's app/, is in nobody's way, and nothing is in theirs."""
    (tmp_path / "engine.py").write_text("class Value: ...\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("mine = True\n")
    names = sorted(path.relative_to(wheel).with_suffix("") for path in (wheel / PACKAGE).rglob("*.py"))
    every = [".".join(name.parts).removesuffix(".__init__") for name in names if not SHOWN & {*name.parts}]
    assert len(every) > 300
    code = (
        f"import engine, app, {', '.join(every)}\nfrom {PACKAGE} import Playground, predictions, engine as ours\n"
        "print(engine.Value.__module__, app.mine, len(predictions(ours.start(ours.Spec.make()), example=1)))"
    )
    done = run(code, [tmp_path, wheel], tmp_path)
    assert (done.stdout.split()[:2], done.stderr) == (["engine", "True"], "")


def test_an_installed_server_answers_beside_a_foreign_engine_and_app(wheel: Path, tmp_path: Path) -> None:
    """Whose workers find it by a name."""
    for name in ("engine", "app"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is not the playground')\n")
    path, port = os.pathsep.join([str(tmp_path), str(wheel)]), machine.free_port()
    env = {"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "PLAYGROUND_DATA": str(tmp_path), "PLAYGROUND_PORT": str(port)}
    command, log = [sys.executable, "-m", PACKAGE], tmp_path / "log"
    with machine.running(command, env, log) as process, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        machine.wait_until(lambda: "http://" in log.read_text(), process, log)
        assert "backprop_playground.engine" in client.get("/docs/python").text
        made = client.post("/api/v1/runs", json={"dataset": "xor"}).json()
        assert client.get(f"/api/v1/runs/{made['id']}/trace").json()["layers"][0]["dW"]


def test_a_checkout_has_one_engine_by_either_name(tmp_path: Path) -> None:
    """Imported from the package first or last, as a module or for what is in it."""
    for order in (
        "from backprop_playground.engine import Spec; import engine",
        "import engine; from backprop_playground.engine import Spec",
        "import backprop_playground.engine as e; from backprop_playground import engine; Spec = e.Spec",
    ):
        assert run(f"{order}; import engine as short; print(Spec is short.Spec)", [ROOT], tmp_path).stdout == "True\n"


def test_a_slip_in_a_field_is_seen_by_mypy(wheel: Path, tmp_path: Path) -> None:
    """By the package's name all is typed."""
    (tmp_path / "mine.py").write_text(
        "from backprop_playground import Playground, engine\n"
        "from backprop_playground.engine import Spec\n"
        "Spec.make(hiden=[4])\n"
        "engine.Spec.make(hiden=[4])\n"
        "reveal_type(Playground)\n"
    )
    env = {**os.environ, "MYPYPATH": str(wheel), "PYTHONPATH": ""}
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "mine.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=machine.PATIENCE)
    told = [line for line in done.stdout.splitlines() if line.startswith("mine.py")]
    assert [line.split(":")[1] for line in told if "call-overload" in line or "call-arg" in line] == ["3", "4"], (
        done.stdout
    )
    assert not [line for line in told if "import" in line or '"Any"' in line], done.stdout


@pytest.mark.parametrize("name", ["engine", "app"])
@pytest.mark.parametrize("kind", ["file", "folder", "folder without __init__"])
def test_what_is_in_the_way_is_named_in_one_sentence(name: str, kind: str, tmp_path: Path) -> None:
    """A student's engine.py, or the app of another project: by its path, and no traceback when it is started."""
    place = tmp_path / f"{name}.py" if kind == "file" else tmp_path / name / "__init__.py"
    place.parent.mkdir(exist_ok=True)
    if kind == "folder without __init__":
        (tmp_path / name / "other.py").write_text("")
        path = [tmp_path]
        if run(f"import {name}; print({name}.__path__)", [*path, ROOT], tmp_path).stdout.count(str(ROOT)):
            return  # a folder without __init__ comes after every package: it is not in the way
    else:
        place.write_text("")
    started = run(START, [tmp_path, ROOT], tmp_path)
    assert (started.returncode, len(started.stderr.splitlines())) == (1, 1)
    assert f"'{name}'" in started.stderr
    assert str(tmp_path) in started.stderr
    imported = run(ENGINE, [tmp_path, ROOT], tmp_path)
    assert imported.stderr.splitlines()[-1].startswith("ImportError: ")
    assert f"'{name}'" in imported.stderr
