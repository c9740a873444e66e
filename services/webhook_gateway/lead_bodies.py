"""From the bytes of a posted lead to a `LeadSubmission`: JSON or form, values of any type, clear refusals."""

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from pydantic import ValidationError

from leadline.contracts.gateway import PostedLead, scalar_text
from leadline.contracts.leads import LEAD_FIELDS, LeadSubmission
from leadline.contracts.openapi import FORM_MEDIA_TYPE
from leadline.runtime.http.bodies import bad_request
from leadline.runtime.http.problems import HttpProblem

MOST_KEYS: Final = 200
LONGEST_KEY: Final = 128
_REQUIRED: Final = ("phone_number", "lead_id", "list_id")


def read_lead(campaign: str, raw: bytes, media_type: str, charset: str | None) -> LeadSubmission:
    """The lead that was posted.

    Args:
        media_type: of the request; without a known one, an opening brace makes the body JSON.
        charset: of the request, if it says one.

    Raises:
        HttpProblem: 400 with one line for each field that is wrong.
    """
    text = _decoded(raw, charset)
    is_form = media_type == FORM_MEDIA_TYPE or (not _is_json(media_type) and not text.lstrip().startswith(("{", "[")))
    values = _cleaned(_form(text, charset or "utf-8") if is_form else _json(text))
    # A field that holds something nested is no text; it is kept as it is, beside the fields.
    nested = {k: values.pop(k) for k in LEAD_FIELDS if isinstance(values.get(k), dict | list)}
    try:
        posted = PostedLead.model_validate(values)
        return LeadSubmission(
            campaign=campaign,
            phone_number=posted.phone_number,
            lead_id=posted.lead_id,
            list_id=posted.list_id,
            fields={name: value for name in LEAD_FIELDS if (value := getattr(posted, name))},
            attributes=_attributes({**(posted.model_extra or {}), **nested}),
        )
    except ValidationError as error:
        raise bad_request("invalid_lead", "The lead does not fit; see errors.", error) from None


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _decoded(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode("utf-8-sig" if (charset or "utf-8").lower() in {"utf-8", "utf8"} else str(charset))
    except LookupError:
        _refuse(f"The charset {str(charset)[:40]!r} is not known; send UTF-8.")
    except (UnicodeDecodeError, ValueError):
        _refuse(f"The body is no text in {str(charset or 'utf-8')[:40]}.")


def _json(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        _refuse("The JSON is nested too deeply.")
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "a number that cannot be read"
        _refuse(f"The body is no JSON: {reason}.")
    if not isinstance(body, dict):
        _refuse("The body must be one JSON object, or a form.")
    return body


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _form(text: str, charset: str) -> dict[str, Any]:
    """The last value wins where a key stands twice."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, encoding=charset, errors="replace", max_num_fields=MOST_KEYS * 2
        )
    except ValueError:
        _refuse(f"The form has more than {MOST_KEYS * 2} fields.")
    return dict(pairs)


def _cleaned(body: Mapping[str, Any]) -> dict[str, Any]:
    """Keys and texts without NUL and lone surrogates, which no database text can hold; blank values left out."""
    cleaned: dict[str, Any] = {}
    for key, value in body.items():
        name, kept = _clean(key).strip(), _clean(value) if isinstance(value, str) else value
        if len(name) > LONGEST_KEY:
            _refuse(f"A key is longer than {LONGEST_KEY} characters.")
        if name and (name in _REQUIRED or scalar_text(kept) != ""):
            cleaned[name] = kept
    return cleaned


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _attributes(extra: Mapping[str, Any]) -> dict[str, str]:
    if len(extra) > MOST_KEYS:
        _refuse(f"The lead has more than {MOST_KEYS} attributes.")
    return {key: _attribute(value) for key, value in extra.items()}


def _attribute(value: object) -> str:
    text = scalar_text(value)
    return text if isinstance(text, str) else _clean(json.dumps(text, ensure_ascii=False, separators=(",", ":")))


def _refuse(detail: str) -> NoReturn:
    raise HttpProblem(400, "invalid_body", detail)
