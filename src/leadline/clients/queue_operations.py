"""What a request to the queue-service is called in figures: its route, as the queue-service itself names it."""

from typing import Final

_IDS: Final = {
    "/v1/leads": "{id}",
    "/v1/stop-orders": "{id}",
    "/v1/campaigns": "{campaign}",
    "/v1/suppressions": "{phone_number}",
    "/v1/sweep/runs": "{run_id}",
    "/v1/backfill/runs": "{id}",
}
"""What stands below these paths is the id of somebody or something."""


def operation(method: str, path: str) -> str:
    """`GET /v1/leads/{id}` for whatever lead: a closed set, as routes are."""
    for above, name in _IDS.items():
        if path.startswith(f"{above}/"):
            _, slash, below = path[len(above) + 1 :].partition("/")
            return f"{method} {above}/{name}{slash}{below}"
    return f"{method} {path}"
