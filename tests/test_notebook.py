"""The notebook's door: the page that a kernel serves, what of it Python sees, and the examples as they are printed."""

from __future__ import annotations

import gc
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import machine
from app.notebook import Playground
from app.serve.root import lies_under
from engine import RunState, Spec, SpecError, advance, apply, receipt, start, trace

EXAMPLES = sorted((machine.ROOT / "docs" / "notebooks").glob("*.ipynb"))
CELLS: dict[str, dict[str, str]] = {
    "first-look": {
        "advance(state": "<polyline",
        "receipt(step, ": "<pre>",
        "program(step)": "<pre>",
        "play = ": "<iframe",
    },
    "grade-a-backward": {"def averaged": "not right", "def batch_norm": "three ways", "grade(dense": "dW is right"},
    "your-data": {"spec = ": "120 rows", "play = ": "<iframe"},
}


@pytest.fixture(autouse=True)
def at_the_root() -> Iterator[None]:
    """Where an app lies is one for a process: that of the next test lies at the root again."""
    yield
    lies_under("")


@pytest.fixture
def play() -> Iterator[Playground]:
    playground = Playground(Spec.make(dataset="xor", hidden=[4]))
    yield playground
    playground.close()


class Reader:
    """What a browser asks for, by addresses that lie under the playground's own."""

    def __init__(self, playground: Playground) -> None:
        self.root = playground.url.removesuffix("/cell")

    def get(self, path: str, data: bytes | None = None, **headers: str) -> tuple[str, dict[str, str]]:
        request = urllib.request.Request(
            self.root + path, data, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=machine.PATIENCE) as answer:
            return answer.read().decode(), {name.lower(): value for name, value in answer.headers.items()}


def test_the_cell_shows_the_page_of_the_run(play: Playground) -> None:
    """A frame, in it the whole page at the run's address, which may stand in a frame of any site."""
    html = play._repr_html_()
    assert f'src="{play.url}"' in html
    reader = Reader(play)
    cell, headers = reader.get("/cell")
    address = re.search(r'<iframe id="page" src="([^"]+)"', cell)[1].replace("&amp;", "&")  # type: ignore[index]
    page, inner = reader.get(address.removeprefix("/" + reader.root.rpartition("/")[2]))
    assert 'id="bar"' in page
    for each in (headers, inner):
        assert "frame-ancestors *" in each["content-security-policy"]
        assert "x-frame-options" not in each
    assert "frame-src 'self'" in headers["content-security-policy"]


def test_steps_that_are_taken_before_a_frame_listens_are_told(play: Playground) -> None:
    """As when all cells are run at once: the page comes late, as it was, and is brought on; nothing is told twice."""
    reader = Reader(play)
    play.step(5)
    cell, _ = reader.get("/cell")
    address, moves = re.search(r'id="page" src="([^"]+)".* data-moves="([^"]+)"', cell).groups()  # type: ignore[union-attr]
    play.step(10)
    reader.get(address.replace("&amp;", "&").removeprefix("/" + reader.root.rpartition("/")[2]))
    assert play.state.step == 5, "the page came as it was asked for"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(reader.root.rpartition("/")[0] + moves)
    with opener.open(asked, timeout=machine.PATIENCE) as stream:
        told = [stream.readline().decode().strip() for _ in range(6)]
    assert told[3:5] == ["id: 2", "event: moved"]
    assert "step=15" in told[5]
    asked.add_header("Last-Event-ID", "2")
    with opener.open(asked, timeout=machine.PATIENCE) as stream:
        play.step(1)
        assert [stream.readline().decode().strip() for _ in range(6)][3] == "id: 3"


def test_nobody_else_on_the_machine_finds_it(play: Playground) -> None:
    """Without the path that was drawn there is nothing, and nothing tells of it."""
    root, _, secret = Reader(play).root.rpartition("/")
    assert len(secret) >= 32
    for path in ("/", "/healthz", "/api/v1/catalog", "/x/cell", f"/{secret[:-1]}/cell", f"/{secret}x/cell"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(root + path, timeout=machine.PATIENCE)
        assert refused.value.code == 404
        assert refused.value.read() == b"There is nothing here."


def test_python_sees_what_the_page_shows(play: Playground) -> None:
    """The step that is looked at, after steps of either side, another run's start, and what is selected."""
    reader, mine = Reader(play), advance(start(Spec.make(dataset="xor", hidden=[4])), 40)
    assert play.state.step == 0
    assert play.step(7) == advance(start(Spec.make(dataset="xor", hidden=[4])), 7).state == play.state
    found = re.search(r'data-run="([^"]+)"', reader.get(f"/?{play._served.door.address}")[0])
    assert found
    reader.get(f"/runs/{found[1]}/step", b"count=33", HX_Request="true")
    assert play.state == mine.state
    reader.get("/?dataset=xor&hidden=4&step=7&select=W1.2.1")
    assert play.state.step == 7
    assert repr(play.receipt()) == repr(receipt(trace(play.state), "W1.2.1"))
    assert repr(play.receipt("a1.3")) == repr(receipt(trace(play.state), "a1.3"))
    reader.get("/?dataset=spiral")
    assert (play.state.spec.dataset, play.state.step) == ("spiral", 0)
    with pytest.raises(ValueError, match="nothing is selected"):
        play.receipt()
    assert play.step().step == 1


def test_a_state_is_shown_as_it_is() -> None:
    """Where its spec leads to it, at its step, own data too; where it was changed on the way, its parameters."""
    plain = advance(start(Spec.make(dataset="spiral")), 60).state
    own = {"x": [[k / 10, k % 7] for k in range(80)], "y": [k % 3 for k in range(80)]}
    for state in (plain, advance(start(Spec.make(data=own, optimizer="adam")), 20).state):
        playground = Playground(state)
        assert playground.state == state
        playground.close()
    changed = advance(apply(plain, "learning_rate", 0.3), 5).state
    with pytest.warns(UserWarning, match=r"anew at step 0 with the parameters of RunState.*step 65") as told:
        playground = Playground(changed)
    assert told[0].filename == __file__
    assert playground.state.step == 0
    assert playground.state.parameters.tobytes() == changed.parameters.tobytes()
    playground.close()


def test_what_cannot_be_shown_is_refused() -> None:
    """By its field, or with what is taken."""
    with pytest.raises(TypeError, match="takes a Spec or a RunState, not a str"):
        Playground("xor")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"not a Progress: its \.state is one"):
        Playground(advance(start(Spec.make())))  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="hidden"):
        Playground(Spec.make(hidden=[300]))


def test_a_diverged_state_is_shown_or_refused() -> None:
    """Where its spec leads to it as it is; changed on the way it has no numbers to begin with."""
    wild = start(Spec.make(dataset="plane", hidden=[], learning_rate=100))
    diverged = advance(wild, 1_000).state
    playground = Playground(diverged)
    assert playground.state == diverged
    playground.close()
    with pytest.raises(ValueError, match="was changed on its way and diverged at step"):
        Playground(advance(apply(wild, "W1.1.1", 0.5), 1_000).state)


@pytest.mark.parametrize(("count", "said"), [("a", "step takes a whole number"), (1.5, "not 1.5"), (-1, "0 or more")])
def test_steps_that_are_no_steps_are_refused(play: Playground, count: Any, said: str) -> None:
    """As `advance` refuses them; the run stays where it is."""
    with pytest.raises((TypeError, SpecError), match=said):
        play.step(count)
    assert play.state.step == 0


def test_it_ends_with_what_refers_to_it() -> None:
    """Closed, or let go: the port is closed, its folder gone, and it says so."""
    first, second = Playground(), Playground()
    folders = [Path(each._served._folder.name) for each in (first, second)]
    url, threads = second.url, [each._served._thread for each in (first, second)]
    first.close()
    first.close()
    with pytest.raises(RuntimeError, match="is closed"):
        _ = first.state
    del second
    gc.collect()
    assert not any(each.is_alive() for each in threads)
    assert not any(each.exists() for each in folders)
    with pytest.raises(urllib.error.URLError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=machine.PATIENCE)


def test_several_at_once_are_apart() -> None:
    """Each has its own port and its own screen."""
    one, other = Playground(Spec.make(dataset="xor")), Playground(Spec.make(dataset="moons"))
    steps: list[RunState] = []
    worker = threading.Thread(target=lambda: steps.append(other.step(3)))
    worker.start()
    assert one.step(2).spec.dataset == "xor"
    worker.join()
    assert [(state.spec.dataset, state.step) for state in (one.state, *steps)] == [("xor", 2), ("moons", 3)]
    for each in (one, other):
        each.close()


def test_every_example_is_listed() -> None:
    """Three notebooks, none with outputs stored, all named by the documentation."""
    told = (machine.ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert [each.stem for each in EXAMPLES] == sorted(CELLS)
    for each in EXAMPLES:
        assert f"notebooks/{each.name}" in told
        assert '"output_type"' not in each.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_in_a_kernel(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every cell without an error, and those that are named show what they should."""
    import nbformat  # it and the client load what takes seconds, which every process that collects would spend
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(machine.ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    book = nbformat.read(path, 4)
    nbformat.validate(book)
    NotebookClient(book, timeout=machine.PATIENCE).execute()
    for opening, shown in CELLS[path.stem].items():
        found = [cell for cell in book.cells if cell.cell_type == "code" and opening in cell.source]
        assert found
        for cell in found:
            assert any(shown in output.get("data", {}).get("text/html", "") for output in cell.outputs), cell.source
