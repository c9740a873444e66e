"""How old secrets are, as far as files tell."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from services.cli.doctor.finding import Finding, not_seen, odd, well
from services.cli.printing import duration

OLD_DAYS: Final = 180
_FILE: Final = "_FILE"
_DAY_SECONDS: Final = 86_400.0
_NO_SECRETS: Final = frozenset({"LEADLINE_CAMPAIGNS_FILE"})


def ages(environ: Mapping[str, str], keys: Path) -> Finding:
    """The oldest secret among the files that settings name and those that `leadline up` made in the folder `keys`.

    A file's time is when it was written or mounted: the secret is at least so old.
    """
    found = sorted(_times(environ, keys))
    if not found:
        return not_seen(
            "secrets",
            "no secret comes from a file here, and a variable has no age",
            "kubectl get secret -o custom-columns=NAME:.metadata.name,SINCE:.metadata.creationTimestamp",
        )
    written_at, name = found[0]
    seconds = max(0.0, time.time() - written_at)
    says = f"{len(found)} files, the oldest since {duration(seconds)}: {name}"
    if seconds > OLD_DAYS * _DAY_SECONDS:
        return odd("secrets", says, "replace it, two are valid meanwhile: docs/operations/tokens.md")
    return well("secrets", says)


def _times(environ: Mapping[str, str], keys: Path) -> Iterator[tuple[float, str]]:
    named = {
        name: Path(path)
        for name, path in environ.items()
        if name.startswith("LEADLINE_") and name.endswith(_FILE) and name not in _NO_SECRETS and path.strip()
    }
    made = {path.name: path for path in keys.glob("*")} if keys.is_dir() else {}
    for name, path in (named | made).items():
        try:
            yield path.stat().st_mtime, name
        except OSError:
            continue  # the process that needs it says so
