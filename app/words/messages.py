"""What a message is: the forms of one sentence, chosen by the sign of a number or by a count."""

from dataclasses import dataclass
from math import isnan

from app.words.formulas import Role
from app.words.texts import text
from engine.wording import Words


@dataclass(frozen=True)
class Message:
    """The forms of one message: `any` for all, or by the sign of the part `by` (`down`, `none`, `up`: below 0, 0, above
    0; what is not a number counts as 0), or by it as a count (`one`, `many`)."""

    any: Words = ""
    by: str = ""
    tone: Role = "plain"
    down: Words = ""
    none: Words = ""
    up: Words = ""
    one: Words = ""
    many: Words = ""

    def form(self, number: float | None) -> str:
        """The form that goes with the number."""
        return text(self._form(number))

    def _form(self, number: float | None) -> str:
        if number is None:
            return self.any
        if self.many:
            return self.one if number == 1 else self.many
        return self.none if number == 0 or isnan(number) else self.down if number < 0 else self.up

    @property
    def forms(self) -> tuple[str, ...]:
        """Every form that there is."""
        return tuple(filter(None, (self.any, self.down, self.none, self.up, self.one, self.many)))
