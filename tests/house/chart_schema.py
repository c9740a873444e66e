"""The schema of the chart's values: types from the defaults in values.yaml, bounds and words from the table below.

A free-form value is Kubernetes' own; `$comment` says so, and the cluster judges it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import yaml

from leadline.runtime.settings import Part
from leadline.runtime.settings.types import is_secret
from tests.house.tree import ROOT

CHART: Final = ROOT / "deploy" / "helm" / "leadline"
Schema: TypeAlias = dict[str, Any]

WORKLOADS: Final = ("gateway", "queue", "dialer", "crmSync", "simulator", "sweep", "backfill", "migrate", "smoke")
SET_BY_THE_CHART: Final = frozenset(
    {
        "LEADLINE_BACKFILL_CAMPAIGN",
        "LEADLINE_BACKFILL_DETAILS_PACE",
        "LEADLINE_BACKFILL_DRY_RUN",
        "LEADLINE_BACKFILL_FROM",
        "LEADLINE_BACKFILL_PACE",
        "LEADLINE_BACKFILL_TO",
        "LEADLINE_BACKFILL_WINDOW",
        "LEADLINE_BLAND_BASE_URL",
        "LEADLINE_CAMPAIGNS_FILE",
        "LEADLINE_CONVOSO_BASE_URL",
        "LEADLINE_CRM",
        "LEADLINE_DIALER_NAME",
        "LEADLINE_GATEWAY_PORT",
        "LEADLINE_GATEWAY_URL",
        "LEADLINE_METRICS_PORT",
        "LEADLINE_PUBLIC_URL",
        "LEADLINE_QUEUE_AUDIENCE",
        "LEADLINE_QUEUE_PORT",
        "LEADLINE_QUEUE_SERVICE_ACCOUNTS",
        "LEADLINE_QUEUE_TOKEN_FILE",
        "LEADLINE_QUEUE_URL",
        "LEADLINE_SIMULATOR_CONVOSO_ADOPTS",
        "LEADLINE_SIMULATOR_CONVOSO_CONNECT_URL",
        "LEADLINE_SIMULATOR_PORT",
    }
)
"""Settings that other values decide."""
OF_LEADLINE_UP: Final = frozenset({"LEADLINE_DATA_DIR", "LEADLINE_SWEEP_MINUTES"})
"""Settings that nothing in a cluster reads."""

_KUBERNETES: Final = "Kubernetes' own"
_NAME: Final = {"type": "string", "pattern": "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$"}
_LABELS: Final = {"type": "object", "additionalProperties": {"type": "string"}, "$comment": _KUBERNETES}
_OBJECT: Final = {"type": "object", "$comment": _KUBERNETES}
_OBJECTS: Final = {"type": "array", "items": {"type": "object"}, "$comment": _KUBERNETES}
_NAMES: Final = {"type": "array", "items": {**_NAME, "minLength": 1}}
_PORTS: Final = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}, "minItems": 1}
_SECRET_KEY: Final = {"type": "string", "pattern": "^[-._a-zA-Z0-9]{1,253}$"}
_SECRET_KEY_OR_NONE: Final = {"type": "string", "pattern": "^[-._a-zA-Z0-9]{0,253}$"}
_QUANTITY: Final = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$"}
_DURATION: Final = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"}
_URL: Final = {"type": "string", "pattern": "^(https?://[^\\s]+)?$"}
_DIGEST: Final = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
_PATH: Final = "[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
_HOST: Final = "[a-z0-9]+([.-]+[a-z0-9]+)*(:[0-9]{1,5})?"
_IMAGE_NAME: Final = {"type": "string", "pattern": f"^({_HOST}/)?{_PATH}$"}
_REGISTRY: Final = {"type": "string", "pattern": f"^({_HOST}(/{_PATH})?)?$"}
_TAG: Final = {"type": "string", "pattern": "^([A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?$"}
_SHORT_NAME: Final = {"type": "string", "pattern": "^([a-z]([-a-z0-9]{0,40}[a-z0-9])?)?$"}
_WORD: Final = {"type": "string", "pattern": "^[^\\s]*$"}
_SETTING: Final = {"type": ["string", "number", "boolean"]}
_SECONDS: Final = {"type": "integer", "minimum": 0, "maximum": 31_536_000}
_SHARE: Final = {"type": "number", "minimum": 0.1, "maximum": 0.85}
"""Above nine tenths full dialers lie within the tolerance of an HPA, and nothing would be added."""

_BY_PATH: Final[Mapping[str, Schema]] = {
    "publicUrl": _URL,
    "database.mode": {"enum": ["external", "cnpg", "dev"]},
    "database.url": {"type": "string", "pattern": "^(postgres(ql)?://[^\\s]+)?$"},
    "database.keys.url": _SECRET_KEY_OR_NONE,
    "database.keys.host": _SECRET_KEY_OR_NONE,
    "database.keys.port": _SECRET_KEY_OR_NONE,
    "database.keys.name": _SECRET_KEY_OR_NONE,
    "database.keys.user": _SECRET_KEY_OR_NONE,
    "database.keys.password": _SECRET_KEY_OR_NONE,
    "database.cnpg.instances": {"type": "integer", "minimum": 1, "maximum": 20},
    "database.cnpg.parameters": _LABELS,
    "database.cnpg.extraSpec": _OBJECT,
    "database.dev.image.tag": {**_TAG, "minLength": 1},
    "database.dev.runAsUser": {"type": "integer", "minimum": 1, "maximum": 65535},
    "auth.mode": {"enum": ["tokens", "serviceAccounts"]},
    "auth.audience": {"type": "string", "pattern": "^[-._:/a-zA-Z0-9]{1,253}$"},
    "auth.tokenSeconds": {"type": "integer", "minimum": 600, "maximum": 86_400},
    "image.registry": _REGISTRY,
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "global.imageRegistry": _REGISTRY,
    "defaults.hostUsers": {"type": ["boolean", "null"]},
    "gateway.service.type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "gateway.service.port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "gateway.ingress.hosts": {
        "type": "object",
        "propertyNames": {"pattern": "^(\\*\\.)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"},
        "additionalProperties": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {"paths": {"type": "array", "items": {"type": "string", "pattern": "^/[-._/a-zA-Z0-9]*$"}}},
        },
    },
    "gateway.httpRoute.hostnames": {"type": "array", "items": {"type": "string"}, "$comment": _KUBERNETES},
    "gateway.httpRoute.pathPrefix": {"type": "string", "pattern": "^/[-._/a-zA-Z0-9]*$"},
    "dialer.scaling.utilisation": _SHARE,
    "dialer.scaling.scaleDownSeconds": {"type": "integer", "minimum": 0, "maximum": 3600},
    "dialer.keda.trigger": {"enum": ["metrics-api", "prometheus"]},
    "dialer.keda.pollingInterval": {"type": "integer", "minimum": 1, "maximum": 3600},
    "dialer.keda.prometheus.serverAddress": _URL,
    "dialer.hpa.metricName": {"type": "string", "pattern": "^[a-zA-Z_:][-a-zA-Z0-9_:.]*$"},
    "sweep.schedule": {"type": "string", "pattern": "^[-*/,0-9A-Za-z]+( +[-*/,0-9A-Za-z]+){4}$"},
    "sweep.startingDeadlineSeconds": {"type": "integer", "minimum": 10, "maximum": 86_400},
    "migrate.mode": {"enum": ["auto", "hook", "job", "manual"]},
    "backfill.arguments.from": _WORD,
    "backfill.arguments.to": _WORD,
    "backfill.arguments.campaign": _WORD,
    "backfill.arguments.pace": {"type": "string", "pattern": "^([0-9.]+/(s|min)|none)?$"},
    "backfill.arguments.detailsPace": {"type": "string", "pattern": "^([0-9.]+/(s|min)|none)?$"},
    "backfill.arguments.window": {"type": "string", "pattern": "^([0-9]+[mhd])?$"},
    "networkPolicy.extraEgress": _OBJECTS,
    "monitoring.prometheusRule.disabled": {"type": "object", "additionalProperties": {"type": "boolean"}},
    "monitoring.prometheusRule.sweepMinutes": {"type": "integer", "minimum": 1, "maximum": 1440},
    "monitoring.prometheusRule.runbookUrl": _URL,
    "extraObjects": {"type": "array", "items": {"type": ["object", "string"]}, "$comment": _KUBERNETES},
}

_BY_KEY: Final[Mapping[str, Schema]] = {
    "existingSecret": _NAME,
    "key": _SECRET_KEY,
    "storageClass": _NAME,
    "className": _NAME,
    "priorityClassName": _NAME,
    "runtimeClassName": _NAME,
    "authenticationRef": _NAME,
    "nameOverride": _SHORT_NAME,
    "fullnameOverride": _SHORT_NAME,
    "size": {**_QUANTITY, "minLength": 1},
    "baseUrl": {**_URL, "minLength": 1},
    "repository": _IMAGE_NAME,
    "tag": _TAG,
    "digest": _DIGEST,
    "imagePullSecrets": _NAMES,
    "ports": _PORTS,
    "interval": _DURATION,
    "scrapeTimeout": _DURATION,
    "replicas": {"type": "integer", "minimum": 0, "maximum": 1000},
    "minReplicas": {"type": "integer", "minimum": 1, "maximum": 1000},
    "maxReplicas": {"type": "integer", "minimum": 1, "maximum": 1000},
    "maxUnavailable": {"type": "integer", "minimum": 1, "maximum": 1000},
    "cpuPercent": {"type": "integer", "minimum": 1, "maximum": 1000},
    "backoffLimit": {"type": "integer", "minimum": 0, "maximum": 100},
    "preStopSeconds": {"type": "integer", "minimum": 0, "maximum": 600},
    "activeDeadlineSeconds": {"type": "integer", "minimum": 1, "maximum": 31_536_000},
    "resources": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "requests": {"type": "object", "additionalProperties": _QUANTITY},
            "limits": {"type": "object", "additionalProperties": _QUANTITY},
        },
    },
    **dict.fromkeys(
        ("podLabels", "podAnnotations", "serviceAccountAnnotations", "annotations", "labels", "nodeSelector"), _LABELS
    ),
    **dict.fromkeys(("commonLabels", "commonAnnotations", "alertLabels", "metricSelector"), _LABELS),
    **dict.fromkeys(("affinity", "dnsConfig", "podSecurityContext", "securityContext"), _OBJECT),
    **dict.fromkeys(("tolerations", "topologySpreadConstraints", "extraEnv", "extraEnvFrom"), _OBJECTS),
    **dict.fromkeys(("extraVolumes", "extraVolumeMounts", "initContainers", "sidecars"), _OBJECTS),
    **dict.fromkeys(("tls", "parentRefs", "relabelings", "metricRelabelings", "to"), _OBJECTS),
    **dict.fromkeys(("gatewayFrom", "operatorsFrom", "metricsFrom"), _OBJECTS),
}


def setting_names() -> list[str]:
    """Settings that the chart's `settings` may hold: all but secrets and those that other values decide."""
    names = {
        part.variable(name)
        for part in Part.parts
        if part.__module__.startswith("leadline.")
        for name, info in part.model_fields.items()
        if not is_secret(info.annotation)
    }
    return sorted(names - SET_BY_THE_CHART - OF_LEADLINE_UP)


def values_schema() -> Schema:
    """The schema (JSON Schema draft 7) of values.yaml."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = _object(values, "")
    properties = schema["properties"]
    shared = properties["defaults"]["properties"]
    for workload in WORKLOADS:
        own = properties[workload]["properties"]
        properties[workload]["properties"] = {**shared, **own}
    properties["global"]["additionalProperties"] = True  # other charts of an umbrella chart have theirs there
    settings = dict.fromkeys(setting_names(), _SETTING)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the Leadline chart",
        **schema,
        "definitions": {"settings": {"type": "object", "additionalProperties": False, "properties": settings}},
    }


def _object(values: Mapping[str, Any], path: str) -> Schema:
    properties = {key: _schema(value, f"{path}.{key}".lstrip("."), key) for key, value in values.items()}
    required = [key for key, value in values.items() if value is not None]  # a key set to null is taken away
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _schema(value: object, path: str, key: str) -> Schema:
    if key == "settings":
        return {"$ref": "#/definitions/settings"}
    special = _BY_PATH.get(path) or _BY_KEY.get(key)
    if special is not None:
        return dict(special)
    if path.startswith(("auth.keys.", "bland.keys.")):
        return dict(_SECRET_KEY)
    if isinstance(value, Mapping):
        if not value:
            raise _Untold(path)
        return _object(value, path)
    return _plain(value, path)


def _plain(value: object, path: str) -> Schema:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return dict(_SECONDS) if path.endswith("Seconds") else {"type": "integer", "minimum": 0, "maximum": 1_000_000}
    if isinstance(value, str):
        return {"type": "string"}
    raise _Untold(path)


class _Untold(Exception):
    """What this value may be cannot be told from its default: say it in the table."""


def unused_rules() -> Iterable[str]:
    """Paths of the table that values.yaml does not have."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    for path in _BY_PATH:
        place: Any = values
        for key in path.split("."):
            if not isinstance(place, Mapping) or key not in place:
                yield path
                break
            place = place[key]
