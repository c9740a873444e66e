"""What identifies a person is hidden in everything that is printed, JSON included, unless `--show-pii` is given."""

import re
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from leadline.domain.phone import masked

_NUMBER: Final = re.compile(r"\+\d{8,15}")
_NAMES: Final = frozenset({"first_name", "last_name"})

Model = TypeVar("Model", bound=BaseModel)


def hidden(model: Model) -> Model:
    """The same message with telephone numbers masked and names cut to their first letter."""
    return type(model).model_validate(_hide(model.model_dump(mode="json")))


def _hide(value: Any, key: str = "") -> Any:  # noqa: ANN401 -- any JSON
    if isinstance(value, dict):
        return {name: _hide(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_hide(item) for item in value]
    if not isinstance(value, str):
        return value
    if key in _NAMES:
        return f"{value[:1]}***" if value else value
    return _NUMBER.sub(lambda found: masked(found[0]), value)
