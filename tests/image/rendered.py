"""What `helm template` printed, looked up the way a cluster looks things up."""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Manifest = dict[str, Any]


class Refused(Exception):
    """A cluster would not take this, or the harness does not know what a cluster does with it: it never guesses."""


@dataclass(frozen=True)
class Rendered:
    """All objects of one release."""

    objects: tuple[Manifest, ...]

    @classmethod
    def parse(cls, text: str) -> "Rendered":
        """From YAML documents. Raises Refused if two objects have one name."""
        objects = tuple(document for document in yaml.safe_load_all(text) if document)
        names = Counter((found["kind"], found["metadata"]["name"]) for found in objects)
        twice = [f"{kind} {name}" for (kind, name), times in names.items() if times > 1]
        if twice:
            raise Refused(f"there are two of {', '.join(twice)}")
        return cls(objects)

    def of_kind(self, kind: str) -> Iterator[Manifest]:
        """In the order of the text."""
        return (found for found in self.objects if found["kind"] == kind)

    def get(self, kind: str, name: str) -> Manifest:
        """Raises Refused if it is not there."""
        for found in self.of_kind(kind):
            if found["metadata"]["name"] == name:
                return found
        raise Refused(f"there is no {kind} {name}")

    def by_component(self, kind: str, component: str) -> Manifest:
        """The one object of this kind that is labelled as this component. Raises Refused."""
        wanted = [o for o in self.of_kind(kind) if labels_of(o).get("app.kubernetes.io/component") == component]
        if len(wanted) != 1:
            raise Refused(f"there are {len(wanted)} of {kind} {component}")
        return wanted[0]

    def config_map(self, name: str) -> dict[str, str]:
        """Its texts."""
        data = self.get("ConfigMap", name).get("data") or {}
        return {key: _text(value, f"ConfigMap {name}, {key}") for key, value in data.items()}

    def secret(self, name: str) -> dict[str, str]:
        """Its texts, decoded."""
        secret = self.get("Secret", name)
        try:
            data = {
                key: base64.b64decode(text, validate=True).decode() for key, text in (secret.get("data") or {}).items()
            }
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Refused(f"Secret {name}: {error}") from None
        given = secret.get("stringData") or {}
        return data | {key: _text(value, f"Secret {name}, {key}") for key, value in given.items()}

    def service_names(self, labels: Mapping[str, str], ports: Mapping[str, int]) -> list[str]:
        """Names under which a pod with these labels and named ports is reached.

        A network's alias translates no ports: a Service that does is refused.
        """
        names = []
        for service in self.of_kind("Service"):
            selector = service["spec"].get("selector") or {}
            if not selector or not selector.items() <= labels.items():
                continue
            for port in service["spec"]["ports"]:
                target = port.get("targetPort", port["port"])
                if ports.get(target, target) != port["port"]:
                    raise Refused(f"Service {service['metadata']['name']}: port {port['port']} leads to {target}")
            names.append(service["metadata"]["name"])
        return names


def labels_of(found: Manifest) -> dict[str, str]:
    """An object's labels."""
    return dict(found["metadata"].get("labels") or {})


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise Refused(f"{where}: {value!r} is no string")
    return value
