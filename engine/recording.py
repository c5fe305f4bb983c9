"""What many steps computed, kept as they go by: one copy a step into memory that was asked for in blocks.

A copy of its own for each step would cost three times as much, nearly all of it for fresh pages of memory.
"""

from collections.abc import Sequence
from typing import overload

import numpy as np

from engine.arrays import Floats
from engine.workspace import Layout, Workspace

_STEPS = 128  # in one block


class Recording(Sequence[dict[str, Floats]]):
    """One entry a step: flat copies, by name, of the buffers that are recorded and of the gradient."""

    def __init__(self) -> None:
        self._rows: list[tuple[Layout, int, Floats]] = []
        self._block: Floats = np.empty((0, 0))
        self._used = 0

    def add(self, workspace: Workspace, gradient: Floats, expected: int) -> None:
        """Keep what a step has computed; about `expected` more will follow."""
        passes = workspace.recorded
        size, end = passes.size, passes.size + gradient.size
        if self._used == len(self._block) or end > self._block.shape[1]:
            self._block, self._used = np.empty((min(expected, _STEPS), end)), 0
        row = self._block[self._used]
        row[:size], row[size:end] = passes, gradient
        self._rows.append((workspace.layout, size, row[:end]))
        self._used += 1

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> dict[str, Floats]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Floats]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Floats] | list[dict[str, Floats]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        layout, size, row = self._rows[index]
        examples = size // layout.recorded
        ends = ((name, layout.lane(name)) for name in layout.names)
        return {name: row[lane[0][0] * examples : lane[-1][1] * examples] for name, lane in ends if lane} | {
            "gradient": row[size:]
        }
