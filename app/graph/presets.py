"""PRESETS: formulas to start from, those by which courses begin. A new one is one entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from app.words.numbers import given
from engine.language import read
from engine.wording import Words


@dataclass(frozen=True)
class Preset:
    """A formula with its values in it, and where it comes from."""

    name: str
    title: Words
    source: str
    sentence: Words

    @cached_property
    def formula(self) -> str:
        """Its lines without those that give a value: these are fields of the page."""
        given = read(self.source, {}).set
        return "\n".join(line for line in self.source.split("\n") if line.partition(" = ")[0] not in given)

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The values, as the page's fields have them."""
        told = {
            name: value if isinstance(value, tuple) else (value,) for name, value in read(self.source, {}).set.items()
        }
        return {name: ", ".join(map(given, row)) for name, row in told.items()}


_ENTRIES = (
    Preset(
        "twice",
        "A variable used twice",
        "a = 0.8\nb = -1.5\nc = 2\ny = -0.5\nL = (tanh(a*b + c) - y)**2 + 0.1*a**2",
        "Two ways lead to a: their gradients add.",
    ),
    Preset("cs231n", "Circuit of CS231n", "x = -2\ny = 5\nz = -4\nf = (x + y) * z", "The first circuit of the course."),
    Preset(
        "cs231n-max",
        "Circuit with a max, CS231n",
        "x = 3\ny = -4\nz = 2\nw = -1\nf = 2 * (x*y + max(z, w))",
        "Add hands on, max chooses, multiply switches.",
    ),
    Preset(
        "sigmoid",
        "Sigmoid neuron",
        "w0 = 2\nx0 = -1\nw1 = -3\nx1 = -2\nw2 = -3\nf = 1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))",
        "The sigmoid of CS231n, taken apart.",
    ),
    Preset(
        "neuron",
        "Neuron of micrograd",
        "x1 = 2\nx2 = 0\nw1 = -3\nw2 = 1\nb = 6.8813735870195432\no = tanh(x1*w1 + x2*w2 + b)",
        "One unit with two inputs.",
    ),
    Preset(
        "expression",
        "Expression of micrograd",
        "a = -4\nb = 2\nc = a + b\nd = a*b + b**3\nc1 = c + c + 1\nc2 = c1 + 1 + c1 + (-a)\n"
        "d1 = d + d*2 + relu(b + a)\n"
        "d2 = d1 + 3*d1 + relu(b - a)\ne = c2 - d2\nf = e**2\ng = f/2 + 10/f",
        "The many operations of its README.",
    ),
    Preset(
        "line",
        "A line, y = mx + b",
        "x = 2\nm = 0.5\nb = 1\ny = 3\nL = (m*x + b - y)**2",
        "One point's squared error.",
    ),
    Preset(
        "softmax",
        "Softmax of 3, cross-entropy",
        "z = [1, 2, 0.5]\nL = cross_entropy(z, 0)",
        "Share minus target comes back.",
    ),
    Preset(
        "recurrent",
        "Recurrent cell, two steps",
        "w = 0.5\nu = 1.2\nx1 = 1\nx2 = -0.5\ny = 0.6\nh1 = tanh(u*x1)\nh2 = tanh(w*h1 + u*x2)\nL = (h2 - y)**2",
        "One weight, used at two times.",
    ),
    Preset(
        "norm",
        "Batch norm of 3 numbers",
        "x = [1, 2, 4]\nd = x - mean(x)\nn = d / sqrt(mean(d*d) + 0.00001)\nL = dot([1, -2, 0.5], n)",
        "Through mean and variance, too.",
    ),
    Preset(
        "attention",
        "Attention, two keys",
        "q = [1, 0.5]\nk1 = [0.8, -0.2]\nk2 = [-0.4, 1]\nv = [1, -1]\n"
        "s = [dot(q, k1) / sqrt(2), dot(q, k2) / sqrt(2)]\nL = dot(softmax(s), v)",
        "One query asks two keys.",
    ),
)
PRESETS: dict[str, Preset] = {entry.name: entry for entry in _ENTRIES}
