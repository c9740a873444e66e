"""The dashboards as the files that the chart installs."""

import json
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards import calls, dialer, platform, queue

FOLDER: Final = "deploy/helm/leadline/files/dashboards"
BOARDS: Final = {"calls": calls.board, "queue": queue.board, "dialer": dialer.board, "platform": platform.board}


def written(name: str) -> str:
    """One dashboard as it is committed: readable, and stable in its order."""
    return json.dumps(BOARDS[name]().build(), cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
