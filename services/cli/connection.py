"""Where the queue-service is and which token to show: settings, else the `leadline up` that runs here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from leadline.clients.token_source import TokenSource, token_source
from leadline.runtime.settings import load
from leadline.runtime.settings.access_parts import QueueClientPart
from leadline.runtime.settings.parts import DataDirPart
from leadline.runtime.settings.types import HttpUrl
from services.cli.exits import CliError, ExitCode

CONNECTION_FILE: Final = "connection.json"
_SETTINGS: Final = ("LEADLINE_QUEUE_URL", "LEADLINE_QUEUE_TOKEN", "LEADLINE_QUEUE_TOKEN_FILE")
_MOST_BYTES: Final = 64 * 1024


class ConnectionFile(BaseModel):
    """What `leadline up` leaves in its data folder while it runs; readable by its owner alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    queue_url: HttpUrl
    operator_token: SecretStr = Field(min_length=1)
    gateway_url: HttpUrl | None = None
    api_key: SecretStr | None = None
    backfill_token: SecretStr | None = None
    bland_base_url: HttpUrl | None = None
    bland_api_key: SecretStr | None = None
    convoso_base_url: HttpUrl | None = None
    convoso_auth_token: SecretStr | None = None
    convoso_requests_per_second: str | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """A queue-service to ask, and where that was learnt."""

    queue_url: str
    token: TokenSource
    origin: str
    """`LEADLINE_QUEUE_URL`, or the path of the file."""


def find_connection(environ: Mapping[str, str] = os.environ) -> Connection:
    """Settings if any of them is set, else the file of `leadline up`.

    Raises SettingsError for wrong settings, CliError if there is nothing to connect to.
    """
    if any(environ.get(name, "").strip() for name in _SETTINGS):
        part = load(QueueClientPart, environ)
        return Connection(part.queue_url, token_source(part), "LEADLINE_QUEUE_URL")
    path = load(DataDirPart, environ).data_dir / CONNECTION_FILE
    found = _read(path)
    return Connection(found.queue_url, TokenSource(found.operator_token.get_secret_value()), str(path))


def backfill_defaults(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The settings that a backfill of the running `leadline up` needs beside those that are set; none if one is named.

    Raises SettingsError for wrong settings, CliError if there is nothing to connect to.
    """
    found = _running_up(environ)
    if found is None:
        return {}
    named: dict[str, str | SecretStr | None] = {
        "LEADLINE_QUEUE_URL": found.queue_url,
        "LEADLINE_QUEUE_TOKEN": found.backfill_token or found.operator_token,
        "LEADLINE_BLAND_BASE_URL": found.bland_base_url,
        "LEADLINE_BLAND_API_KEY": found.bland_api_key,
        "LEADLINE_CONVOSO_BASE_URL": found.convoso_base_url,
        "LEADLINE_CONVOSO_AUTH_TOKEN": found.convoso_auth_token,
        "LEADLINE_CONVOSO_REQUESTS_PER_SECOND": found.convoso_requests_per_second,
    }
    return _where_not_set(named, environ)


def smoke_defaults(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The same for a test of the running `leadline up`."""
    found = _running_up(environ)
    if found is None:
        return {}
    named: dict[str, str | SecretStr | None] = {
        "LEADLINE_QUEUE_URL": found.queue_url,
        "LEADLINE_QUEUE_TOKEN": found.operator_token,
        "LEADLINE_GATEWAY_URL": found.gateway_url,
        "LEADLINE_SMOKE_GATEWAY_KEY": found.api_key,
    }
    return _where_not_set(named, environ)


def doctor_defaults(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The same for an examination of the running `leadline up`; empty if there is none."""
    try:
        found = _running_up(environ)
    except CliError:
        return {}
    if found is None:
        return {}
    named: dict[str, str | SecretStr | None] = {
        "LEADLINE_GATEWAY_URL": found.gateway_url,
        "LEADLINE_PUBLIC_URL": found.gateway_url,
        "LEADLINE_BLAND_BASE_URL": found.bland_base_url,
        "LEADLINE_BLAND_API_KEY": found.bland_api_key,
        "LEADLINE_CONVOSO_BASE_URL": found.convoso_base_url,
        "LEADLINE_CONVOSO_AUTH_TOKEN": found.convoso_auth_token,
    }
    return _where_not_set(named, environ)


def _running_up(environ: Mapping[str, str]) -> ConnectionFile | None:
    """The file of the running `leadline up`; None if settings name a queue-service."""
    if any(environ.get(name, "").strip() for name in _SETTINGS):
        return None
    return _read(load(DataDirPart, environ).data_dir / CONNECTION_FILE)


def _where_not_set(named: Mapping[str, str | SecretStr | None], environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in named.items()
        if value and not environ.get(name, "").strip() and not environ.get(f"{name}_FILE", "").strip()
    }


def _read(path: Path) -> ConnectionFile:
    try:
        with path.open("rb") as file:
            return ConnectionFile.model_validate_json(file.read(_MOST_BYTES))
    except FileNotFoundError:
        message = (
            f"no queue-service to ask: no `leadline up` runs in {path.parent}; start one,"
            " or set LEADLINE_QUEUE_URL and LEADLINE_QUEUE_TOKEN"
        )
        raise CliError(message, ExitCode.USAGE) from None
    except OSError as error:
        message = f"cannot read {path}: {error.strerror or error}; run as the user who runs `leadline up`"
        raise CliError(message, ExitCode.USAGE) from None
    except ValidationError:
        message = f"{path} is no connection of `leadline up`; delete it and start `leadline up` again"
        raise CliError(message, ExitCode.USAGE) from None
