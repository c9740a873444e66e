"""Whether a setting was given, itself or as a file."""

from collections.abc import Mapping


def is_given(environ: Mapping[str, str], variable: str) -> bool:
    """Whether it has a value; blanks are none."""
    return bool(environ.get(variable, "").strip() or environ.get(f"{variable}_FILE", "").strip())


def unless_given(environ: Mapping[str, str], variable: str, value: str) -> dict[str, str]:
    """What to add to `environ` so that it has one."""
    return {} if is_given(environ, variable) else {variable: value}
