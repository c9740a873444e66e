"""What each process is given: the settings of its own parts and no others, as the chart gives them."""

from collections.abc import Mapping
from typing import Final

from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.loader import known_variables

_FILE_SUFFIX: Final = "_FILE"
_PASSED_ON_NAMES: Final = (
    "PATH HOME USER LANG LANGUAGE TZ TMPDIR VIRTUAL_ENV LD_LIBRARY_PATH SSL_CERT_FILE SSL_CERT_DIR "
    "HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy"
)
_PASSED_ON: Final = frozenset(_PASSED_ON_NAMES.split())
_PASSED_ON_PREFIXES: Final = ("LC_", "PYTHON", "OTEL_", "COVERAGE_")


def machine_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What any program needs of this machine; no setting and no secret of anybody's."""
    return {
        name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }


def child_environment(
    settings: type[ProcessSettings], environ: Mapping[str, str], own: Mapping[str, str]
) -> dict[str, str]:
    """The environment of one process: its own parts' settings from `environ`, and those of `own` on top of them.

    A setting of `own` also replaces one that came from a file; what the process does not read, it is not given.
    """
    parts = set(settings.part_types().values())
    wanted = {name for name, (part, _) in known_variables().items() if part in parts}
    child = machine_environment(environ) | {name: environ[name] for name in wanted if environ.get(name)}
    for name, value in own.items():
        if name in wanted:
            child.pop(name + _FILE_SUFFIX, None)
            child[name] = value
    return child
