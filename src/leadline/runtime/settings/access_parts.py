"""Settings of who asks whom inside an installation, and how either side is known to the other."""

import os
import re
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from leadline.runtime.settings.loader import Part
from leadline.runtime.settings.parts import ListenPort, Word
from leadline.runtime.settings.types import HttpsUrl, HttpUrl, SecretPairs, ServiceAccounts

_FICTIONAL: Final = re.compile(r"\+1[2-9]\d{2}55501\d{2}")


def _fictional(number: str) -> str:
    """It will be suppressed, so it must be nobody's."""
    if not _FICTIONAL.fullmatch(number):
        msg = "must be +1, an area code and 5550100 to 5550199: the numbers that are kept for fiction"
        raise ValueError(msg)
    return number


class QueueAddressPart(Part):
    """Where the queue-service is."""

    queue_url: HttpUrl = Field(default="http://127.0.0.1:8081", description="Base URL of the queue-service.")


class QueueClientPart(QueueAddressPart):
    """Who asks the queue-service."""

    queue_token: SecretStr = Field(min_length=1, description="The bearer token that this process shows.")
    queue_token_file: Path | None = Field(
        default=None, description="The file with that token; read again when it changes, and when the token is refused."
    )


class QueueServerPart(Part):
    """Where the queue-service listens, and whom it hears."""

    queue_port: ListenPort = Field(default=8081, description="Port of the queue-service; 0 takes any free one.")
    queue_tokens: SecretPairs = Field(
        min_length=1,
        description="name:token pairs that the queue-service accepts: gateway, dialer, sweep, crm-sync, backfill,"
        " operator. A name may have two tokens while one is replaced.",
    )


class ServiceAccountsPart(Part):
    """Callers that show the tokens of their Kubernetes ServiceAccounts."""

    queue_service_accounts: ServiceAccounts = Field(
        default=(),
        description="`caller=namespace/serviceaccount` pairs: whose tokens the queue-service takes beside"
        " LEADLINE_QUEUE_TOKENS, after the cluster's API server vouched for them.",
    )
    queue_audience: Word = Field(
        default="leadline-queue", description="The audience that those tokens must have been made for."
    )
    kubernetes_url: HttpsUrl = Field(
        default="https://kubernetes.default.svc", description="Base URL of the cluster's API server."
    )
    kubernetes_account_dir: Path = Field(
        default=Path("/var/run/secrets/kubernetes.io/serviceaccount"),
        description="Folder with the queue-service's own `token`, and the `ca.crt` of the API server.",
    )

    @model_validator(mode="after")
    def _own_account_is_mounted(self) -> Self:
        for name in ("token", "ca.crt") if self.queue_service_accounts else ():
            path = self.kubernetes_account_dir / name
            if not (path.is_file() and os.access(path, os.R_OK)):
                msg = (
                    f"LEADLINE_KUBERNETES_ACCOUNT_DIR: cannot read {path}, which LEADLINE_QUEUE_SERVICE_ACCOUNTS needs;"
                    " mount the queue-service's own ServiceAccount token"
                )
                raise ValueError(msg)
        return self


class SmokePart(Part):
    """What a test of a running installation goes by, beside an operator's token."""

    gateway_url: HttpUrl = Field(default="http://127.0.0.1:8080", description="Base URL of the gateway.")
    smoke_gateway_key: SecretStr = Field(
        min_length=1, description="One of the keys of LEADLINE_GATEWAY_API_KEYS, in clear."
    )
    smoke_campaign: Word = Field(default="awhealth", description="The campaign whose webhook is posted to.")
    smoke_phone_number: Annotated[str, AfterValidator(_fictional)] = Field(
        default="+17715550199", description="A number of nobody's, which the test suppresses and posts."
    )
