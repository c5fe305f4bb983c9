"""This working tree beside another one: the same rows, timed by turns in two processes. Nothing here is a test.

`git worktree add ../before <commit>; python tests/benchmarks/bench_ab.py ../before` prints, for every row, both
medians of processor time and the median of the rounds' ratios. The two alternate, so that a busy machine is busy for
both alike.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

HERE = Path(__file__).resolve()


def rows() -> dict[str, Callable[[], object]]:
    """What is timed, of the tree that this process imports."""
    import bench_engine as bench
    from peers import engine, problem

    from engine import advance, evaluate, start, trace, unit_maps

    def frame(state: object) -> None:
        evaluate(after := advance(state, 20).state)  # type: ignore[arg-type]
        unit_maps(after, 50)

    specs = {"2-4-2-1": bench.small(), "2-8x6-1": bench.deep(), "256-32-16-10": bench.digits()}
    found: dict[str, Callable[[], object]] = {}
    for name, spec in specs.items() | {"784-128-64-10": bench.mnist_sized(), "relu": bench.rectified()}.items():
        found[f"step {name}"] = engine(problem(name, spec))
    for name, spec in list(specs.items())[:2]:
        state = start(spec)
        found[f"step {name}, Adam"] = engine(problem(name, spec.with_changes(optimizer="adam", learning_rate=0.001)))
        found[f"20 steps {name}"] = partial(advance, state, 20)
        found[f"20 recorded {name}"] = partial(advance, state, 20, record=True)
        found[f"advance 1 {name}"] = partial(advance, state, 1)
        found[f"trace {name}"] = lambda state=state: trace(state).layers
        found[f"evaluate {name}"] = partial(evaluate, state)
        found[f"unit_maps {name}"] = partial(unit_maps, state, 50)
        found[f"frame {name}"] = partial(frame, state)
    return dict(sorted(found.items()))


def work() -> None:
    """One side: a row's number in, the processor seconds of one call out."""
    import numpy as np
    from measure import _calls, _turn

    with np.errstate(all="ignore"):
        steps = list(rows().items())
        calls = [_calls(step) for _, step in steps]
        print("|".join(name for name, _ in steps), flush=True)
        for line in sys.stdin:
            place = int(line)
            print(_turn(steps[place][1], calls[place]) / calls[place], flush=True)


def _side(stack: ExitStack, tree: Path) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(tree), str(tree / "tests" / "benchmarks")])
    command = [sys.executable, str(HERE), "--work", str(tree)]
    env = {**os.environ, "PYTHONPATH": path}
    return stack.enter_context(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
    )


def _ask(side: subprocess.Popen[str], place: int) -> float:
    assert side.stdin
    assert side.stdout
    side.stdin.write(f"{place}\n")
    side.stdin.flush()
    return float(side.stdout.readline())


def main() -> None:
    """Compare, and print a line a row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--rows", default="", help="only those that have this in their name")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)  # before the folder of this file
        work()
        return
    with ExitStack() as stack:
        sides = [_side(stack, tree) for tree in (asked.other.resolve(), HERE.parents[2])]
        names, _ = (side.stdout.readline().strip().split("|") for side in sides if side.stdout)
        places = [place for place, name in enumerate(names) if asked.rows in name]
        for place in places:
            times: list[list[float]] = [[], []]
            for turn in range(asked.rounds):
                for which in (0, 1) if turn % 2 else (1, 0):
                    times[which].append(_ask(sides[which], place))
            before, now = (median(each) * 1e6 for each in times)
            ratio = median(late / early for early, late in zip(*times, strict=True))
            print(f"{names[place]:32} {before:10.2f} us {now:10.2f} us   x {ratio:.3f}", flush=True)
        for side in sides:
            if side.stdin:
                side.stdin.close()


if __name__ == "__main__":
    main()
