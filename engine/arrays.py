"""The array types that the engine's signatures speak of.

Inside the training loop arrays are feature-major, (units, examples); everything the engine hands out is batch-first.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

# A ufunc takes a 0-d array about 0.15 us sooner than a Python float, which it must first convert.
ONE: Floats = np.array(1.0)
ZERO: Floats = np.array(0.0)
for _constant in (ONE, ZERO):
    _constant.setflags(write=False)
