"""What stands out in a drawing: what is selected, and what a moment of a walkthrough lights and knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from app.draw.chips import Chips
from engine import Quantity


@dataclass(frozen=True)
class Marks:
    """What stands out: the selected address; in a walkthrough the ids that are lit and their colour, and `known`,
    the quantities computed so far (None: all), `chips`, what the lit links carry, `windows`, what it looks at of each
    feature map, and `pools`, the layer and the units whose max pool it speaks of."""

    select: str | None = None
    lit: frozenset[str] = field(default_factory=frozenset)
    tone: str = ""
    flow: str = ""
    known: frozenset[Quantity] | None = None
    chips: Chips | None = None
    windows: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)
    pools: tuple[int, tuple[int, ...]] = (0, ())

    @cached_property
    def chosen(self) -> Quantity:
        """The selected quantity; one that there is nowhere, where there is none."""
        return Quantity.parse(self.select) if self.select else Quantity("")

    @cached_property
    def unit(self) -> str | None:
        """The address of the unit that is selected, or whose scale or shift is."""
        return str(self.chosen.like("a")) if self.chosen.letter in ("gamma", "beta") else self.select

    @cached_property
    def link(self) -> str:
        """The id of the link that is selected, or whose kernel has the weight that is."""
        return self.chosen.of("W", *self.chosen.index[:2]).svg_id if self.chosen.kind == "W" else ""

    def knows(self, quantity: Quantity) -> bool:
        """Whether it is computed; the inputs are given."""
        return self.known is None or quantity.layer == 0 or quantity.is_in(self.known)

    def is_back(self, lens: str) -> bool:
        """Whether maps show what comes back to them."""
        return lens == "gradients" if self.known is None else self.tone in ("backward", "update")

    def talks(self, last: int, narrow: bool) -> int:
        """Before which layer most of the room lies: its links carry what the chips tell, or on a phone numbers of an
        output stand there; 0 before none."""
        lit = {each.split("-")[1] for each in self.lit if each.startswith("node-")}
        return (self.chips.talk if self.chips else 0) or last * (narrow and lit == {str(last)})
