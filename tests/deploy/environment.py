"""The environment of a container as the kubelet makes it: variables, and the files that volumes put there."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.deploy.documents import Document, Pod, Rendered

_EXPANDED = re.compile(r"\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")
_GIVEN = {
    "LEADLINE_DATABASE_URL": "postgresql://leadline:secret@postgres:5432/leadline",
    "LEADLINE_QUEUE_TOKENS": "gateway:one,dialer:two,sweep:three,crm-sync:four,backfill:five,operator:six",
    "LEADLINE_GATEWAY_API_KEYS": "zapier:key",
    "LEADLINE_BLAND_WEBHOOK_SECRETS": "new,old",
    "PGPORT": "5432",
}
"""What Secrets that others make hold, by the variable it is for."""


def environment(rendered: Rendered, pod: Pod, container: Document, folder: Path) -> dict[str, str]:
    """Variables of a container. Files that its volumes mount lie below `folder`, and variables that name one say so."""
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if field in source:
                found |= _content(rendered, kind, source[field]["name"]) or {}
    for entry in container.get("env") or []:
        value = _EXPANDED.sub(lambda name: found.get(name[1], name[0]), entry.get("value") or "")
        found[entry["name"]] = value or _from(rendered, pod, entry)
    mounted = dict(_mounted(rendered, pod, container, folder))
    own = {"LEADLINE_KUBERNETES_ACCOUNT_DIR": str(_own_account(folder))}
    moved = {name: _moved(value, mounted) for name, value in found.items()}
    return {**moved, **(own if pod.spec.get("automountServiceAccountToken") else {})}


def _content(rendered: Rendered, kind: str, name: str) -> dict[str, str] | None:
    document = rendered.named(kind, name)
    if document is None:
        return None
    data: dict[str, str] = document.get("data") or {}
    if kind == "Secret":
        data = {key: base64.b64decode(value).decode() for key, value in data.items()}
    return {**data, **(document.get("stringData") or {})}


def _from(rendered: Rendered, pod: Pod, entry: Document) -> str:
    source: dict[str, Any] = entry.get("valueFrom") or {}
    for kind, field in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
        if field in source:
            content = _content(rendered, kind, source[field]["name"])
            return _GIVEN.get(entry["name"], "given") if content is None else content[source[field]["key"]]
    return f"{pod.component}-7d9f" if "fieldRef" in source else ""


def _mounted(rendered: Rendered, pod: Pod, container: Document, folder: Path) -> Iterator[tuple[str, Path]]:
    """Mount path -> where its files lie here."""
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes") or []}
    for mount in container.get("volumeMounts") or []:
        place = folder / mount["name"]
        place.mkdir(parents=True, exist_ok=True)
        for name, text in _files(rendered, volumes.get(mount["name"], {})):
            (place / name).write_text(text, encoding="utf-8")
        yield mount["mountPath"], place


def _own_account(folder: Path) -> Path:
    """The pod's own ServiceAccount, which the kubelet mounts at the place that the setting has by default."""
    place = folder / "own-account"
    place.mkdir(parents=True, exist_ok=True)
    for name in ("token", "ca.crt"):
        (place / name).write_text(name, encoding="utf-8")
    return place


def _files(rendered: Rendered, volume: Document) -> Iterator[tuple[str, str]]:
    for source in (volume, *volume.get("projected", {}).get("sources", [])):
        if "configMap" in source:
            yield from (_content(rendered, "ConfigMap", source["configMap"]["name"]) or {}).items()
        if "secret" in source:
            yield from (_content(rendered, "Secret", source["secret"].get("secretName", "")) or {}).items()
        if "serviceAccountToken" in source:
            yield source["serviceAccountToken"]["path"], "header.claims.signature"


def _moved(value: str, mounted: dict[str, Path]) -> str:
    for path, place in mounted.items():
        if value == path or value.startswith(f"{path}/"):
            return str(place) + value.removeprefix(path)
    return value
