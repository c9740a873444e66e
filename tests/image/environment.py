"""A container's environment: `envFrom`, then `env`, in the order and with the refusals of a kubelet."""

import re
from collections.abc import Mapping
from typing import Any

from tests.image.rendered import Manifest, Refused, Rendered

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][\w.-]*)\)")


def environment_of(container: Manifest, rendered: Rendered, fields: Mapping[str, str]) -> dict[str, str]:
    """Names to values. `fields` is what `fieldRef` may name. Raises Refused for whatever is not there."""
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        prefix = source.get("prefix", "")
        found |= {f"{prefix}{key}": value for key, value in _whole(source, rendered).items()}
    for variable in container.get("env") or []:
        name = variable["name"]
        if "valueFrom" in variable:
            value = _value_from(variable["valueFrom"], rendered, fields, name)
            if value is None:
                continue
        else:
            value = variable.get("value", "")
            if not isinstance(value, str):
                raise Refused(f"{name}: {value!r} is no string")
            value = _expanded(value, found)
        found[name] = value
    return found


def _whole(source: Manifest, rendered: Rendered) -> Mapping[str, str]:
    match source:
        case {"configMapRef": reference}:
            return _optional(reference, lambda: rendered.config_map(reference["name"]))
        case {"secretRef": reference}:
            return _optional(reference, lambda: rendered.secret(reference["name"]))
        case _:
            raise Refused(f"envFrom {source}")


def _optional(reference: Manifest, read: Any) -> Mapping[str, str]:
    try:
        return dict(read())
    except Refused:
        if reference.get("optional"):
            return {}
        raise


def _value_from(source: Manifest, rendered: Rendered, fields: Mapping[str, str], name: str) -> str | None:
    match source:
        case {"configMapKeyRef": reference}:
            values = _optional(reference, lambda: rendered.config_map(reference["name"]))
        case {"secretKeyRef": reference}:
            values = _optional(reference, lambda: rendered.secret(reference["name"]))
        case {"fieldRef": {"fieldPath": path}} if path in fields:
            return fields[path]
        case _:
            raise Refused(f"{name}: valueFrom {source}")
    if reference["key"] in values:
        return values[reference["key"]]
    if reference.get("optional"):
        return None
    raise Refused(f"{name}: {reference['name']} has no key {reference['key']}")


def _expanded(value: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` of a variable that stands before; one that is not known stays as it is, `$$` is a dollar sign."""

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else known.get(name, match.group(0))

    return _REFERENCE.sub(replaced, value)
