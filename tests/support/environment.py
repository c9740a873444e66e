"""The environment of processes under test: nothing of the developer's settings leaks in."""

import os
from collections.abc import Mapping

_OURS = ("LEADLINE_", "REDIAL_", "OTEL_")


def clean_environ(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without Leadline's settings, plus `settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | dict(settings or {})
