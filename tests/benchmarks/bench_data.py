"""Own data with the page's own choices beside scikit-learn: what is right, or how far off, as a mean over seeds 0 to 9.

`python tests/benchmarks/bench_data.py [--seeds N] [name ...]` prints a table; it needs scikit-learn, palmerpenguins and
vega_datasets, which bring their tables with them: `pip install -e '.[bench]'`.
Nothing is set but the seed: a table is pasted as CSV and trained for 3,000 steps. Classes: per cent right of the test
rows, beside LogisticRegression on the same standardized split. Values: squared error as a share of the variance, beside
least squares.
"""

import argparse
import os
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from measure import machine
from palmerpenguins import load_penguins
from sklearn import datasets
from sklearn.linear_model import LinearRegression, LogisticRegression
from vega_datasets import data as vega

from app.page.own import own
from engine import Spec, advance, examples_of, outputs_of, start
from engine.evaluation import classify

STEPS = 3_000
LOADED = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}
CARS = ["Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration", "Miles_per_Gallon"]


def pasted(name: str) -> str:
    """The table as a person would paste it: names above, classes as words."""
    found = LOADED[name]()
    classes = getattr(found, "target_names", None)
    target = [f"class {classes[k]}" for k in found.target] if classes is not None else found.target.tolist()
    lines = [",".join([*map(str, found.feature_names), "target"])]
    lines += [",".join([*map(repr, map(float, row)), str(y)]) for row, y in zip(found.data, target, strict=True)]
    return "\n".join(lines)


TABLES = {name: partial(pasted, name) for name in LOADED} | {
    "penguins": lambda: load_penguins().to_csv(index=False),
    "cars": lambda: vega.cars()[CARS].to_csv(index=False),
}


def scores(text: str, seed: int) -> tuple[float, float]:
    """The network's and scikit-learn's on the test rows of one seed."""
    base = Spec.make(dataset="plane", seed=seed)
    spec = own(text, {}, base).spec
    assert spec.seed == seed
    state = advance(start(spec), STEPS).state
    examples = examples_of(spec)
    n = examples.train
    x, targets = examples.x[:-1].T, examples.targets
    outputs = outputs_of(state, examples.x[:, n:]).T
    if spec.task == "regression":
        theirs = LinearRegression().fit(x[:n], targets[0, :n]).predict(x[n:])
        spread = float(targets[0, n:].var())  # told as a share of the variance, whatever the values are scaled by
        return (
            float(((outputs[0] - targets[0, n:]) ** 2).mean()) / spread,
            float(((theirs - targets[0, n:]) ** 2).mean()) / spread,
        )
    labels = classify(spec, targets)
    theirs = LogisticRegression(max_iter=5_000).fit(x[:n], labels[:n]).predict(x[n:])
    return 100 * float((classify(spec, outputs) == labels[n:]).mean()), 100 * float((theirs == labels[n:]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("names", nargs="*", help="which tables, of " + ", ".join(TABLES))
    given = parser.parse_args()
    seeds = range(given.seeds)
    print(f"{machine()}\n\n| data | network | scikit-learn | least of the network |\n|---|--:|--:|--:|")
    for name in given.names or TABLES:
        text = TABLES[name]()
        ours, theirs = np.array([scores(text, seed) for seed in seeds]).T
        worst = ours.max() if name in ("diabetes", "cars") else ours.min()
        print(f"| {name} | {ours.mean():.3g} | {theirs.mean():.3g} | {worst:.3g} |", flush=True)


if __name__ == "__main__":
    main()
