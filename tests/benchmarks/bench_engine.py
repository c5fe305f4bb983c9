"""The engine beside its peers: cost of a step, of what a page asks for, and how cost grows. Nothing here is a test.

`python tests/benchmarks/bench_engine.py [--quick]` prints a table and writes engine.md, engine.json and engine.svg into
tests/benchmarks/results/. Peers that are not installed are named as missing:
`pip install -e '.[bench]'`.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread each: at this size more only wait for each other

import numpy as np
import picture
from measure import RESULTS, Claim, alternately, machine, straight_line, told
from peers import PEERS, Problem, contenders, engine, problem

from app.page.forms import LENET
from engine import LIMITS, Spec, advance, evaluate, start, trace, unit_maps

WIDE = replace(LIMITS, custom_columns=784, custom_values=60_000, units=4096, parameters=10**7, hidden_layers=64)


def small() -> Spec:
    return Spec.make(dataset="circle", hidden=[4, 2], batch_size=10)


def deep() -> Spec:
    return Spec.make(dataset="circle", hidden=[8] * 6, batch_size=30)


def digits() -> Spec:
    return Spec.make(dataset="digits16", samples=1000, hidden=[32, 16], activation="relu", batch_size=32)


def mnist_sized() -> Spec:
    rng = np.random.default_rng(0)
    data = {"x": rng.uniform(size=(64, 784)).tolist(), "y": (np.arange(64) % 10).tolist(), "task": "multiclass"}
    given = {"dataset": "custom", "data": data, "hidden": [128, 64], "activation": "relu", "batch_size": 64}
    return Spec.make(given | {"test_share": 0, "learning_rate": 0.01}, WIDE)


def rectified() -> Spec:
    return Spec.make(dataset="plane", hidden=[4, 2], activation="relu", batch_size=10)


def maps(batch: int) -> Spec:
    """The page's network of feature maps."""
    return Spec.make(LENET | {"batch_size": batch})


def residual(batch: int) -> Spec:
    block = "conv2d {0} 3x3 relu, batch_norm, conv2d {0} 3x3 relu, batch_norm, shortcut 1"
    layers = f"{block.format(8)}, max_pool 2, {block.format(16)}, global_pool"
    return Spec.make(dataset="digits16", samples=500, layers=layers, batch_size=batch)


def against_peers(rounds: int) -> tuple[list[dict[str, Any]], list[Claim]]:
    """Microseconds of one step in every tool, on nine networks; and what is promised of the ratios: the least of any
    host, for they differ twofold."""
    tasks = [
        (problem("2-4-2-1 tanh, squared_error, batch 10", small()), 15),
        (problem("2-8-8-8-8-8-8-1 tanh, batch 30", deep()), 10),
        (problem("256-32-16-10 relu, softmax cross_entropy, batch 32", digits()), 4),
        (problem("784-128-64-10 relu, softmax cross_entropy, batch 64", mnist_sized()), 1),
        (problem("2-4-2-1 relu, batch 10", rectified()), 0),
        *((problem(f"16 x 16 LeNet, Adam, batch {batch}", maps(batch)), 1) for batch in (10, 32)),
        *((problem(f"16 x 16 residual, four convolutions, batch {batch}", residual(batch)), 1) for batch in (10, 32)),
    ]
    rows, claims = [], []
    for task, promised in tasks:
        times = alternately(contenders(task), rounds)
        rows.append({"network": task.title} | {name: times.get(name) for name in PEERS})
        if "PyTorch" in times and promised:
            ratio = times["PyTorch"] / times["engine"]
            claims.append(Claim(f"times PyTorch's speed, {task.title}", ratio, "x", promised, at_least=True))
    for row in rows[:2]:
        ratio = row["naive NumPy"] / row["engine"]
        claims.append(Claim(f"times a naive NumPy step, {row['network']}", ratio, "x", 3.5, at_least=True))
    return rows, claims


def own_calls(task: Problem) -> list[Callable[[], object]]:
    """The NumPy calls of one step of a tanh network with squared_error and SGD, on arrays of its sizes."""
    network, n = task.state.spec.network, len(task.x)
    sizes = network.sizes
    room = {k: np.ones((units + 1, n)) for k, units in enumerate(sizes)}
    z, a = ({k: np.full((units, n), 0.1) for k, units in enumerate(sizes)} for _ in range(2))
    W = {k: np.ones(shape) for k, shape in enumerate(network.shapes, 1)}
    flat, p, y = np.ones((2, sum(units + 1 for units in sizes[1:]) * n)), np.ones((3, network.size)), task.y.T.copy()
    scale, last = np.array(0.1), len(sizes) - 1
    calls: list[Callable[[], object]] = [partial(np.multiply, flat[0], flat[0], flat[1])]
    calls += [partial(np.subtract, scale, flat[0], flat[1])]
    calls += [partial(np.subtract, a[last], y, z[last]), partial(np.vdot, y, y)]
    calls += [partial(np.multiply, z[last], scale, z[last])]
    calls += [partial(np.multiply, p[0], scale, p[1]), partial(np.subtract, p[2], p[1], p[2])]
    for k in range(1, last + 1):
        calls += [partial(W[k].dot, room[k - 1], z[k]), partial(np.tanh, z[k], a[k])]
        calls += [partial(np.multiply, z[k], a[k], z[k]), partial(z[k].dot, room[k - 1].T, W[k].copy())]
        if k > 1:
            calls.append(partial(W[k].T.dot, z[k], room[k - 1].copy()))
    return calls


def inside(rounds: int) -> tuple[list[dict[str, Any]], list[Claim]]:
    """What a step costs beside its own NumPy calls, with another optimizer, recorded, and in one call of 2,000."""
    rows, claims = [], []
    for spec in (small(), deep()):
        task = problem("-".join(map(str, spec.network.sizes)), spec)
        calls, state = own_calls(task), task.state
        adam = problem("", spec.with_changes(optimizer="adam", learning_rate=0.001))

        def in_a_row(calls: list[Callable[[], object]] = calls) -> None:
            for call in calls:
                call()

        times = alternately(
            {"own NumPy calls, in a row": in_a_row, "step": engine(task), "step, Adam": engine(adam)}
            | {"20 steps": partial(advance, state, 20), "20 recorded": partial(advance, state, 20, record=True)}
            | {"2,000 steps": partial(advance, state, 2000)}
            | {"2,000 recorded": partial(advance, state, 2000, record=True)}
            | {f"call {i}": call for i, call in enumerate(calls)},
            rounds,
        )
        alone = sum(times.pop(f"call {i}") for i in range(len(calls)))
        rows.append({"network": task.title, "own NumPy calls, each alone": alone} | times)
        claims += _inside(task.title, len(calls), alone, times)
    return rows, claims


def _inside(network: str, calls: int, alone: float, times: dict[str, float]) -> list[Claim]:
    step = times["step"]
    more = (times["20 recorded"] - times["20 steps"]) / 20
    return [
        Claim(f"a step / the sum of its {calls} NumPy calls, each timed alone, {network}", step / alone, "x", 1.3),
        Claim(f"a step / the same calls in a row, {network}", step / times["own NumPy calls, in a row"], "x"),
        Claim(f"Adam / SGD, {network}", times["step, Adam"] / step, "x", 1.6),
        Claim(f"a step that records / a bare one, 20 in a request, {network}", 1 + more / step, "x", 1.25),
        Claim(
            f"2,000 steps with every number kept, most of it fresh memory / without, {network}",
            times["2,000 recorded"] / times["2,000 steps"], "x",
        ),
    ]  # fmt: skip


def looks(rounds: int) -> tuple[list[dict[str, Any]], list[Claim]]:
    """What a page asks for: one step, a trace, the losses, the maps of all units, and a whole frame of them."""
    rows, claims = [], []
    for spec in (small(), deep()):
        state, title = start(spec), "-".join(map(str, spec.network.sizes))
        advance(state, 25)  # so that the buffers are there, as they are in a server that has run for a second

        def frame(state: Any = state) -> None:
            after = advance(state, 20).state
            evaluate(after)
            unit_maps(after, 50)

        times = alternately(
            {"advance(state, 20)": partial(advance, state, 20), "advance(state, 1)": partial(advance, state, 1),
             "trace": lambda state=state: trace(state).layers,
             "evaluate": partial(evaluate, state), "unit_maps, 50 x 50": partial(unit_maps, state, 50),
             "frame": frame},
            rounds,
        )  # fmt: skip
        rows.append({"network": title} | times)
        frame_of, steps = f"a frame (20 steps, both losses, every surface), {title}", times["advance(state, 20)"]
        claims += [
            Claim(frame_of, times["frame"] * 1e3, "ms"),
            Claim(f"a frame / its 20 steps alone, {title}", times["frame"] / steps, "x", 2),
            Claim(f"a trace / a step, {title}", times["trace"] / times["advance(state, 1)"], "x", 4),
        ]
    return rows, claims


def growth(rounds: int) -> dict[str, Any]:
    """Microseconds a step as depth, width and batch grow, and the straight line over parameters x examples."""
    axes: dict[str, tuple[list[int], Callable[[int], dict[str, Any]]]] = {
        "depth": ([1, 2, 4, 8, 16, 32], lambda n: {"hidden": [8] * n, "batch_size": 30}),
        "width": ([4, 8, 16, 32, 64, 128, 256, 512], lambda n: {"hidden": [n, n], "batch_size": 30}),
        "batch": ([1, 4, 16, 64, 256, 1024, 4096], lambda n: {"hidden": [8, 8], "batch_size": n}),
    }
    found = {}
    for name, (values, given) in axes.items():
        specs = {str(n): Spec.make({"samples": 5000, "test_share": 0.1} | given(n), WIDE) for n in values}
        times = alternately({n: engine(problem(n, spec)) for n, spec in specs.items()}, rounds)
        work = [float(spec.network.size * min(spec.batch_size, 4500)) for spec in specs.values()]
        micros = [times[str(n)] * 1e6 for n in values]
        fixed, slope, departures = straight_line(work, micros)
        found[name] = {"values": values, "us": micros, "multiplications": work, "fixed us": fixed,
                       "us for a million": slope * 1e6, "departures": departures}  # fmt: skip
    return found


def main() -> None:
    """Measure everything, print it and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds, for a look")
    rounds = 5 if parser.parse_args().quick else 25
    with np.errstate(all="ignore"):
        peers, claims = against_peers(rounds)
        steps, more = inside(rounds)
        pages, still_more = looks(rounds)
        found = {
            "machine": machine(), "missing": [name for name in PEERS if all(row[name] is None for row in peers)],
            "peers": peers, "inside": steps, "looks": pages, "growth": growth(max(5, rounds // 4)),
            "claims": told(claims + more + still_more),
        }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    text = picture.markdown(found, claims + more + still_more)
    (RESULTS / "engine.md").write_text(text, encoding="utf-8")
    (RESULTS / "engine.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "engine.svg").write_text(picture.svg(found), encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
