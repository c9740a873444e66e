"""Reads parts of settings from an environment and refuses what it does not understand.

A part is a frozen pydantic model; the field `queue_url` is the variable `LEADLINE_QUEUE_URL` (or another prefix).
Nothing but `load` reads an environment, so that constructing a part in a test never picks up the machine's variables.
An empty variable counts as not set: charts and shells cannot always leave one out.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from leadline.runtime.settings.errors import SettingsError
from leadline.runtime.settings.types import is_secret

PREFIX = "LEADLINE_"
OLD_PREFIX = "REDIAL_"
_FILE_SUFFIX = "_FILE"
_SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT)(_|$)")
_MAX_SECRET_FILE_BYTES = 64 * 1024


class Part(BaseModel):
    """A few settings that belong together. Its docstring and each field's description appear in the settings' table."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    prefix: ClassVar[str] = PREFIX
    parts: ClassVar[list[type["Part"]]] = []
    """Every part there is, in the order of definition: the registry of valid names."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the part in the registry."""
        super().__pydantic_init_subclass__(**kwargs)
        Part.parts.append(cls)

    @classmethod
    def variable(cls, field_name: str) -> str:
        """The environment variable of a field."""
        return cls.prefix + field_name.upper()


class ProcessSettings(BaseModel):
    """Everything one process reads: fields whose types are parts. Subclasses name their process."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    process: ClassVar[str] = ""

    @classmethod
    def part_types(cls) -> dict[str, type[Part]]:
        """Field name -> part."""
        return {name: _part_type(info) for name, info in cls.model_fields.items()}


def _part_type(info: FieldInfo) -> type[Part]:
    annotation = info.annotation
    if not (isinstance(annotation, type) and issubclass(annotation, Part)):
        msg = f"a field of ProcessSettings must be a Part, not {annotation!r}"
        raise TypeError(msg)
    return annotation


_Loaded = TypeVar("_Loaded", bound=Part | ProcessSettings)


def load(wanted: type[_Loaded], environ: Mapping[str, str]) -> _Loaded:
    """Read one part, or all parts of a process, from `environ`.

    Raises SettingsError (one line, all problems) for unknown names, impossible values and unreadable secret files.
    """
    problems = list(_unknown_names(environ))
    if issubclass(wanted, Part):
        part = _load_part(wanted, environ, problems)
        _raise_if_any(problems)
        return wanted.model_validate(part)
    parts = {name: _load_part(part, environ, problems) for name, part in wanted.part_types().items()}
    _raise_if_any(problems)
    return wanted.model_validate(parts)


def _raise_if_any(problems: list[str]) -> None:
    if problems:
        raise SettingsError("; ".join(dict.fromkeys(problems)))


def _load_part(part: type[Part], environ: Mapping[str, str], problems: list[str]) -> Part | None:
    raw: dict[str, str] = {}
    for field_name, info in part.model_fields.items():
        try:
            value = _raw_value(part.variable(field_name), info, environ)
        except SettingsError as error:
            problems.append(str(error))
            continue
        if value is not None:
            raw[field_name] = value
    try:
        return part.model_validate(raw)
    except ValidationError as error:
        problems.extend(_lines(part, raw, error))
        return None


def _raw_value(variable: str, info: FieldInfo, environ: Mapping[str, str]) -> str | None:
    value = environ.get(variable, "").strip() or None
    file_name = environ.get(variable + _FILE_SUFFIX, "").strip() if is_secret(info.annotation) else ""
    if not file_name:
        return value
    if value is not None:
        raise SettingsError.about(variable, f"is set, and {variable}{_FILE_SUFFIX} too; keep one of them")
    return _read_secret(variable + _FILE_SUFFIX, Path(file_name))


def _read_secret(variable: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SECRET_FILE_BYTES + 1)
        text = content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no UTF-8 text"
        raise SettingsError.about(variable, f"cannot read {path}: {reason}") from None
    if not text or len(content) > _MAX_SECRET_FILE_BYTES:
        raise SettingsError.about(variable, f"{path} is empty or larger than {_MAX_SECRET_FILE_BYTES} bytes")
    return text


def _lines(part: type[Part], raw: Mapping[str, str], error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        message = detail["msg"].removeprefix("Value error, ")
        if message[1:2].islower():  # a sentence, not the name of a variable
            message = message[:1].lower() + message[1:]
        if not detail["loc"]:
            yield message
            continue
        field_name = str(detail["loc"][0])
        variable = part.variable(field_name)
        if detail["type"] == "missing":
            yield f"{variable}: is not set" + _file_hint(variable, part.model_fields[field_name])
        elif is_secret(part.model_fields[field_name].annotation):
            yield f"{variable}: {message}"
        else:
            yield f"{variable}={raw.get(field_name, '')!r}: {message}"


def _file_hint(variable: str, info: FieldInfo) -> str:
    return f" (nor {variable}{_FILE_SUFFIX})" if is_secret(info.annotation) else ""


def known_variables() -> dict[str, tuple[type[Part], str]]:
    """Every variable that means something to some process -> its part and field; with the file forms of secrets."""
    known: dict[str, tuple[type[Part], str]] = {}
    for part in Part.parts:
        for field_name, info in part.model_fields.items():
            known[part.variable(field_name)] = (part, field_name)
            if is_secret(info.annotation):
                known[part.variable(field_name) + _FILE_SUFFIX] = (part, field_name)
    return known


def _unknown_names(environ: Mapping[str, str]) -> Iterator[str]:
    known = known_variables()
    for name in sorted(environ):
        if not name.upper().startswith((PREFIX, OLD_PREFIX)) or name in known:
            continue
        if _SERVICE_LINK.search(name) or environ[name].startswith("tcp://"):
            yield f"{name}: no setting but a Kubernetes service link; set enableServiceLinks: false in the pod"
            continue
        near = difflib.get_close_matches(name.upper(), known, n=1)
        yield f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else "")
