"""Numbers far from 0, brought to mean 0 and spread 1 by what the training rows are like, and back."""

from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats

SCALINGS = {
    "none": "Numbers go in as they are.",
    "inputs": "Each input is brought to mean 0 and spread 1 over the training rows.",
    "targets": "The values to predict are brought to mean 0 and spread 1 over the training rows.",
    "both": "Inputs and values to predict are brought to mean 0 and spread 1 over the training rows.",
}
REACH = 6.0  # as far as the datasets of the page reach
ASIDE = 3.0
NARROW = 0.1


@dataclass(frozen=True, eq=False)
class Scale:
    """What each column's values are measured from, and in what unit: (columns,) each."""

    mean: Floats
    deviation: Floats

    def apply(self, values: Floats) -> Floats:
        """Values (n, columns) in units of the training rows' spread."""
        return (values - self.mean) / self.deviation

    def undo(self, scaled: Floats) -> Floats:
        """The values again in units of their own."""
        return scaled * self.deviation + self.mean


def scale_of(values: Floats) -> Scale:
    """The scale of values (n, columns); a column that is always the same keeps its unit."""
    mean = values.mean(axis=0)
    deviation = values.std(axis=0)
    return Scale(mean, np.where(deviation > 1e-12 * np.abs(mean), deviation, 1.0))


def far(values: Floats) -> Floats:
    """Which columns of values (n, columns) are far from 0, as flags: they reach beyond 6, lie to one side of it, or
    hardly differ."""
    mean, deviation = np.abs(values.mean(axis=0)), values.std(axis=0)
    aside = (mean > ASIDE) & (mean > 2.0 * deviation)
    flags: Floats = (np.abs(values).max(axis=0) > REACH) | aside | ((deviation < NARROW) & (deviation > 0))
    return flags


def suited(x: Floats, y: Floats, regression: bool, bounded: bool) -> str:
    """The name of the scaling that suits these examples. Targets keep their units where the output is `bounded`."""
    inputs = len(x) > 1 and bool(far(x).any())
    targets = regression and not bounded and len(y) > 1 and bool(np.abs(y).max() > REACH)
    return {(False, False): "none", (True, False): "inputs", (False, True): "targets", (True, True): "both"}[
        inputs, targets
    ]
