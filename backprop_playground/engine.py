"""In a checkout, the module `engine` by its name in the wheel: `from backprop_playground.engine import Spec`."""

import sys
from typing import TYPE_CHECKING

import backprop_playground

if TYPE_CHECKING:
    from engine import *  # noqa: F403

sys.modules[__name__] = backprop_playground.engine
