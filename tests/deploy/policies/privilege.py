"""Which secrets a workload sees: its own, and no other's."""

from collections.abc import Iterator

from tests.deploy.documents import Rendered
from tests.deploy.policies.ours import own_containers
from tests.deploy.policies.references import references

_DATABASE = {"LEADLINE_DATABASE_URL", "PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"}
_MAY_SEE: dict[str, set[str]] = {
    "gateway": {"LEADLINE_QUEUE_TOKEN", "LEADLINE_GATEWAY_API_KEYS", "LEADLINE_BLAND_WEBHOOK_SECRETS"},
    "queue": {"LEADLINE_QUEUE_TOKENS", *_DATABASE},
    "dialer": {"LEADLINE_QUEUE_TOKEN", "LEADLINE_BLAND_API_KEY", "LEADLINE_CONVOSO_AUTH_TOKEN"},
    "crm-sync": {"LEADLINE_QUEUE_TOKEN", "LEADLINE_CONVOSO_AUTH_TOKEN"},
    "sweep": {"LEADLINE_QUEUE_TOKEN", "LEADLINE_BLAND_API_KEY"},
    "backfill": {"LEADLINE_QUEUE_TOKEN", "LEADLINE_BLAND_API_KEY", "LEADLINE_CONVOSO_AUTH_TOKEN"},
    "migrate": _DATABASE,
    "simulator": {
        "LEADLINE_SIMULATOR_API_KEY",
        "LEADLINE_SIMULATOR_WEBHOOK_SECRET",
        "LEADLINE_SIMULATOR_CONVOSO_TOKEN",
        "LEADLINE_SIMULATOR_CONVOSO_CONNECT_KEY",
    },
    "postgres": {"POSTGRES_USER", "POSTGRES_PASSWORD"},
    "smoke": {"LEADLINE_QUEUE_TOKEN", "LEADLINE_SMOKE_GATEWAY_KEY"},
}
_CALLERS = {
    "gateway": "gateway",
    "dialer": "dialer",
    "crm-sync": "crmSync",
    "sweep": "sweep",
    "backfill": "backfill",
    "smoke": "operator",
}


def secrets_are_seen_by_their_owners(rendered: Rendered) -> Iterator[str]:
    """By variable; a Secret is never read whole."""
    for pod in rendered.pods:
        for container in own_containers(rendered, pod):
            seen = {
                entry["name"]
                for entry in container.get("env") or []
                if (entry.get("valueFrom") or {}).get("secretKeyRef")
            } - _added(rendered)
            if not seen <= _MAY_SEE.get(pod.component, set()):
                yield f"{pod}/{container['name']}: sees {sorted(seen - _MAY_SEE.get(pod.component, set()))}"
            whole = [name for kind, name, key, _ in references(container) if kind == "Secret" and key is None]
            if whole and not _added(rendered):
                yield f"{pod}/{container['name']}: reads all of {whole}"


def init_containers_see_less(rendered: Rendered) -> Iterator[str]:
    """Who waits for the queue-service needs no secret; who waits for the schema needs the database."""
    for pod in rendered.pods:
        main = pod.main["name"]
        for container in own_containers(rendered, pod):
            seen = {key for kind, _, key, _ in references(container) if kind == "Secret"}
            if container["name"] != main and seen and pod.component != "queue":
                yield f"{pod}/{container['name']}: sees {seen}"


def callers_show_their_own_token(rendered: Rendered) -> Iterator[str]:
    """In either mode: nobody asks the queue-service under another's name."""
    auth = rendered.values["auth"]
    for pod in rendered.pods:
        if pod.component not in _CALLERS:
            continue
        tokens = [entry for entry in pod.main["env"] if entry["name"].startswith("LEADLINE_QUEUE_TOKEN")]
        if auth["mode"] == "tokens" or pod.component == "smoke":
            wanted = auth["keys"][_CALLERS[pod.component]]
            if [entry.get("valueFrom", {}).get("secretKeyRef", {}).get("key") for entry in tokens] != [wanted]:
                yield f"{pod}: shows {tokens}, not {wanted}"
            continue
        audiences = [
            source["serviceAccountToken"].get("audience")
            for volume in pod.spec.get("volumes") or []
            for source in volume.get("projected", {}).get("sources", [])
            if "serviceAccountToken" in source
        ]
        if [entry["name"] for entry in tokens] != ["LEADLINE_QUEUE_TOKEN_FILE"] or audiences != [auth["audience"]]:
            yield f"{pod}: shows {tokens} with tokens for {audiences}"


def _added(rendered: Rendered) -> set[str]:
    """Variables that values add."""
    return {
        entry.get("name", "from")
        for values in rendered.values.values()
        if isinstance(values, dict)
        for entry in [*(values.get("extraEnv") or []), *(values.get("extraEnvFrom") or [])]
    }
