"""What requests and answers look like, for validation of shape and for the OpenAPI document."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Body(BaseModel):
    """A request's body: no field that is not named here, and no type but the one named."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StepBody(Body):
    """How many steps, and whether the trace of the last one is wanted."""

    count: int = Field(1, ge=1, le=100_000)
    trace: bool = False
    version: int | None = Field(None, ge=1)


class EditBody(Body):
    """A live field of the spec or an address such as W1.2.1, and its new value."""

    field: str = Field(max_length=80)
    value: Any


class RewindBody(Body):
    """A step of the run's past."""

    step: int = Field(ge=0)


class PredictBody(Body):
    """Raw inputs, a row for each example."""

    inputs: list[list[Number]]
