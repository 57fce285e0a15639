"""The plan that options ask for, or that the plain values of a file describe."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from dcgan.errors import ArgumentError, refuse
from dcgan.networks.plan import Pair, Plan, Stage, check_plan, make_plan
from dcgan.options import Options, in_groups, table


def resolve(options: Options) -> tuple[Options, Plan]:
    """The plan that the options ask for, and the options with the sizes of that plan.

    It is their `network_plan`, or made from the other options that shape the networks.

    Raises:
        ArgumentError: the plan cannot be built, or an option next to `network_plan` contradicts it.
    """
    if options.network_plan is None:
        return options, make_plan(**{name: getattr(options, name) for name in in_groups("network")})
    plan = options.network_plan
    if not isinstance(plan, Plan):
        if not isinstance(plan, Mapping):
            refuse("network_plan", "a Plan, its dict, or None", plan)
        plan = plan_from_dict(plan)
    for name in in_groups("network"):
        given, planned = getattr(options, name), getattr(plan, name, None)
        if given not in (table()[name].default, planned):
            fixed = "" if planned is None else f" to {name}={planned}"
            raise ArgumentError(
                f"{name} contradicts network_plan, which lays the networks down{fixed}. "
                f"Received: {name}={given!r:.100}. Leave one of the two out."
            )
    size, length = plan.img_size, plan.input_size
    return replace(options, network_plan=plan, img_size=size, input_size=length), plan


def plan_to_dict(plan: Plan) -> dict:
    """The plan as plain lists, numbers and strings, ready for JSON."""
    return asdict(plan)


def plan_from_dict(values: Mapping) -> Plan:
    """Rebuild and check a plan from what `plan_to_dict` gave, or from a file.

    Raises:
        ArgumentError: a part is missing, unknown, of the wrong type, or out of bounds.
    """
    parts = _typed(Plan, values)
    parts["base"] = Stage(**_typed(Stage, parts["base"]))
    for name in ("generator", "discriminator"):
        parts[name] = tuple(Stage(**_typed(Stage, stage)) for stage in parts[name][:99])
    plan = Plan(**parts)
    check_plan(plan)
    return plan


def _typed(kind: type, values: object) -> dict[str, Any]:
    """The fields of `kind` from `values`, each of the type its annotation names."""
    names = {field.name: field.type for field in fields(kind)}
    if not isinstance(values, Mapping) or set(values) != set(names):
        raise ArgumentError(
            f"A {kind.__name__.lower()} needs exactly the parts {', '.join(names)}. "
            f"Received: {str(values)[:200]}"
        )
    return {name: _convert(name, values[name], wanted) for name, wanted in names.items()}


def _convert(name: str, value: Any, wanted: object) -> Any:
    lengths = {Pair: 2, tuple[int, int, int]: 3}
    if wanted in lengths:
        good = isinstance(value, list | tuple) and len(value) == lengths[wanted]
        good = good and all(type(item) is int for item in value)
        value = tuple(value) if good else value
    elif wanted in (int, str, bool):
        good = type(value) is wanted
    elif wanted is float:
        good = type(value) in (int, float)
    else:
        good = isinstance(value, Mapping if wanted is Stage else list | tuple)
    if not good:
        raise ArgumentError(
            f"{name} in the network plan has a wrong type. Received: {value!r:.200}"
        )
    return value
