"""`read_lead` is total: any bytes give a lead or a clear 400, and what it gives can be stored."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadline.contracts.leads import LeadSubmission
from leadline.runtime.http.problems import HttpProblem
from services.webhook_gateway.lead_bodies import read_lead

MEDIA_TYPES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "a/b+json"]
)
CHARSETS = st.none() | st.sampled_from(
    ["utf-8", "UTF8", "latin-1", "utf-16", "idna", "undefined", "hex", "\x00", "x y"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
KEYS = ("phone_number", "lead_id", "list_id", "first_name", "age", "status", "extra")


def read(raw: bytes, media_type: str = "application/json", charset: str | None = None) -> LeadSubmission | None:
    try:
        lead = read_lead("awhealth", raw, media_type, charset)
    except HttpProblem as problem:
        _check_refusal(problem)
        return None
    for text in (lead.phone_number, lead.lead_id, lead.list_id, *_pairs(lead.fields), *_pairs(lead.attributes)):
        assert "\x00" not in text
        text.encode()
    return lead


def _check_refusal(problem: HttpProblem) -> None:
    assert problem.status == 400
    assert problem.detail


def _pairs(mapping: dict[str, str]) -> list[str]:
    return [text for pair in mapping.items() for text in pair]


@given(st.binary(max_size=300), MEDIA_TYPES, CHARSETS)
def test_total_over_bytes(raw: bytes, media_type: str, charset: str | None) -> None:
    read(raw, media_type, charset)


@given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON)))
def test_total_over_json(body: Any) -> None:
    read(json.dumps(body).encode())


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), JSON, max_size=10))
def test_no_value_is_lost(extra: dict[str, Any]) -> None:
    body = {**extra, "phone_number": "1", "lead_id": 2, "list_id": "3"}
    lead = read(json.dumps(body).encode())
    if lead is None:
        return
    blank = {None, ""}
    for key, value in extra.items():
        name = key.replace("\x00", "").strip()
        if name and name not in KEYS and not (isinstance(value, str | None) and _plain(value) in blank):
            assert name in lead.fields | lead.attributes


def _plain(value: str | None) -> str:
    return (value or "").replace("\x00", "").strip()
