"""What the service allows beyond the engine: limits that were set lower, and steps that would take too long."""

from app.costs import step_cost
from app.settings import Settings
from engine import Spec, SpecError


def check(spec: Spec, settings: Settings) -> None:
    """SpecError if this spec is over a limit of the settings, or one step of it would take longer than it may."""
    limits, most = settings.engine_limits, settings.most_step_seconds
    name = "hidden" if spec.is_chain else "layers"
    if len(spec.hidden) > limits.hidden_layers:
        raise SpecError(name, len(spec.hidden), "at most {most} layers", most=limits.hidden_layers)
    if max(spec.hidden, default=0) > limits.units:
        raise SpecError(name, max(spec.hidden), "at most {units} units a layer", units=limits.units)
    if spec.network.size > limits.parameters:
        raise SpecError(
            name, spec.network.size, "smaller: at most {parameters:,} parameters", parameters=limits.parameters
        )
    units, largest = spec.network.cost.activations, settings.batch_activations
    if units * min(spec.batch_size, spec.samples) > largest:  # a trace holds four numbers for each
        raise SpecError(
            "batch_size",
            spec.batch_size,
            "at most {largest:,} with {units:,} units",
            largest=largest // units,
            units=units,
        )
    if (cost := step_cost(spec)) > most:
        raise SpecError(
            "optimizer" if spec.optimizer == "trial_and_error" else "batch_size",
            spec.optimizer if spec.optimizer == "trial_and_error" else spec.batch_size,
            "less work: one step would take about {cost:.0f} s of at most {most:g}; fewer units or examples",
            cost=cost,
            most=most,
        )
