"""Shapes of values that are more than one word: comma-separated lists, name pairs, secrets kept as digests."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, SecretStr

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_ACCOUNT = re.compile(rf"([A-Za-z0-9][\w.-]{{0,63}})\s*=\s*({_LABEL})/({_LABEL}(?:\.{_LABEL})*)")
TOKENS_OF_ONE_NAME = 2
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


def split_list(value: object) -> object:
    """`"a, b,,c"` -> `["a", "b", "c"]`; whatever is no text passes through to pydantic."""
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


CommaList = BeforeValidator(split_list)
"""Annotation that lets a tuple or frozenset be written as a comma-separated list."""


Lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
"""Annotation for closed words that may be written in capitals."""


@dataclass(frozen=True, slots=True)
class SecretPair:
    """`name:token`: who is meant, and what they show. Printing it shows the name alone."""

    name: str
    token: SecretStr


@dataclass(frozen=True, slots=True)
class SecretDigest:
    """A caller's name and the SHA-256 (32 bytes) of its key: enough to recognise the key, not enough to use it."""

    name: str
    sha256: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A caller that a Kubernetes cluster vouches for: by what name it is known here, and there."""

    caller: str
    namespace: str
    name: str

    @property
    def username(self) -> str:
        """What the cluster calls it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


def _name_and_secret(item: str, position: int) -> tuple[str, str]:
    name, colon, secret = (part.strip() for part in item.partition(":"))
    if not (colon and name and secret):
        # The text itself may be a secret, so only its place is told.
        msg = f"entry {position} is not name:secret"
        raise ValueError(msg)
    return name, secret


def parse_secret_pairs(value: object) -> object:
    """`"gateway:abc,dialer:def"` -> pairs; a name may have two tokens (rotation), no token stands there twice."""
    if not isinstance(value, str):
        return value
    items = [_name_and_secret(item, n) for n, item in enumerate(_items(value), start=1)]
    _refuse_repeated("token", [secret for _, secret in items])
    _refuse_third([name for name, _ in items])
    return tuple(SecretPair(name, SecretStr(secret)) for name, secret in items)


def parse_secret_digests(value: object) -> object:
    """`"zapier:KEY"` or `"zapier:sha256:<64 hex digits>"` -> digests. One name may have several keys (rotation)."""
    if not isinstance(value, str):
        return value
    digests = [_digest(item, n) for n, item in enumerate(_items(value), start=1)]
    _refuse_repeated("key", [digest.sha256.hex() for digest in digests])
    return tuple(digests)


def _digest(item: str, position: int) -> SecretDigest:
    name, secret = _name_and_secret(item, position)
    kind, colon, digest = secret.partition(":")
    if colon and kind.lower() == "sha256":
        if not _HEX_DIGEST.fullmatch(digest.lower()):
            msg = f"entry {position} ({name}): sha256: wants 64 hexadecimal digits"
            raise ValueError(msg)
        return SecretDigest(name, bytes.fromhex(digest))
    return SecretDigest(name, hashlib.sha256(secret.encode()).digest())


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _refuse_repeated(what: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        msg = f"a {what} stands there twice"
        raise ValueError(msg)


def _refuse_third(names: list[str]) -> None:
    if most := next((name for name in names if names.count(name) > TOKENS_OF_ONE_NAME), None):
        msg = f"{most} has more than {TOKENS_OF_ONE_NAME} tokens, the one before and the new one"
        raise ValueError(msg)


def parse_pairs(value: object) -> object:
    """`"good=SALE, bad=DNC"` -> mapping."""
    if not isinstance(value, str):
        return value
    pairs: dict[str, str] = {}
    for item in _items(value):
        name, equals, target = (part.strip() for part in item.partition("="))
        if not (equals and name and target):
            msg = f"{item!r} is not name=value"
            raise ValueError(msg)
        pairs[name] = target
    return pairs


def parse_service_accounts(value: object) -> object:
    """`"gateway=leadline/leadline-gateway"` -> accounts. A caller may have several, an account is one caller's."""
    if not isinstance(value, str):
        return value
    accounts = []
    for item in _items(value):
        found = _ACCOUNT.fullmatch(item)
        if found is None:
            msg = f"{item!r} is not caller=namespace/serviceaccount"
            raise ValueError(msg)
        accounts.append(ServiceAccount(*found.groups()))
    _refuse_repeated("ServiceAccount", [account.username for account in accounts])
    return tuple(accounts)


def parse_secret_list(value: object) -> object:
    """`"new,old"` -> secrets."""
    if not isinstance(value, str):
        return value
    return tuple(SecretStr(item) for item in _items(value))


def https_url(value: str) -> str:
    """An absolute https URL: secrets go there."""
    if urlsplit(value).scheme != "https":
        msg = "must be an absolute https:// URL: secrets are sent there"
        raise ValueError(msg)
    return http_url(value)


def http_url(value: str) -> str:
    """An absolute http(s) URL, without the slash at its end."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        msg = "must be an absolute http:// or https:// URL without query"
        raise ValueError(msg)
    return value.rstrip("/")


def zone_name(value: str) -> str:
    """A name of the IANA time zone database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = "is no time zone of the IANA database, such as America/New_York"
        raise ValueError(msg) from None
    return value


def postgres_url(value: SecretStr) -> SecretStr:
    """A libpq URL; the text may hold a password and is never shown."""
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in {"postgresql", "postgres"}:
        msg = "must look like postgresql://user:password@host:5432/database"
        raise ValueError(msg)
    return value


HttpUrl = Annotated[str, AfterValidator(http_url)]
HttpsUrl = Annotated[str, AfterValidator(https_url)]
ZoneName = Annotated[str, AfterValidator(zone_name)]
PostgresUrl = Annotated[SecretStr, AfterValidator(postgres_url)]
SecretPairs = Annotated[tuple[SecretPair, ...], BeforeValidator(parse_secret_pairs)]
SecretDigests = Annotated[tuple[SecretDigest, ...], BeforeValidator(parse_secret_digests)]
SecretList = Annotated[tuple[SecretStr, ...], BeforeValidator(parse_secret_list)]
ServiceAccounts = Annotated[tuple[ServiceAccount, ...], BeforeValidator(parse_service_accounts)]
NamePairs = Annotated[Mapping[str, str], BeforeValidator(parse_pairs)]


def is_secret(annotation: Any) -> bool:  # noqa: ANN401 -- any type annotation at all
    """Whether values of this type are secrets: they may come from a file and are never shown."""
    if annotation in {SecretStr, SecretPair, SecretDigest}:
        return True
    return any(is_secret(arg) for arg in getattr(annotation, "__args__", ()))
