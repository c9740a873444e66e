"""What Convoso Connect posts: a form or JSON, whatever the keys are called, and nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.crm.convoso_connect import StatusNews, parse_status
from leadline.domain.ids import PhoneNumber

WHOLE = StatusNews("SALE", "77", "9", PhoneNumber("+15615550123"))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"lead_id": 77, "list_id": "9", "phone_number": "5615550123", "status": "sale"}',
        b"lead_id=77&list_id=9&phone_number=5615550123&status=SALE",
        b"Lead+ID=77&List-Id=9&Primary+Phone=%28561%29+555-0123&Disposition=+sale+",
        b'{"lead": {"id": 77, "list_id": 9, "phone": "+15615550123"}, "disposition": "SALE"}',
        b'[{"lead_id": "77", "list_id": "9", "phone_number": "15615550123", "status_code": "SALE"}]',
        b"\xef\xbb\xbf" + b'{"lead_id":"77","list_id":"9","phone_number":"5615550123","dispo":"SALE"}',
        b"lead_id=&id=77&list_id=9&phone_number=5615550123&status=&status_abbreviation=SALE",
    ],
)
def test_every_usual_shape_is_read(raw: bytes) -> None:
    assert parse_status(raw) == WHOLE


def test_a_lead_may_be_named_by_its_number_or_its_id_alone() -> None:
    assert parse_status(b"phone_number=5615550123&status=NI") == StatusNews("NI", None, None, WHOLE.phone_number)
    assert parse_status(b"lead_id=77&status=NI") == StatusNews("NI", "77")
    assert parse_status(b"lead_id=77&status=NI&phone_number=123") == StatusNews("NI", "77")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"lead_id=77",
        b"status=SALE",
        b"status=SALE&phone_number=123",
        b'{"lead_id": "77", "status": {"code": "SALE"}}',
        b'{"lead_id": "77", "status": null}',
        b"[]",
        b"[1, 2]",
        b"null",
        b"\x00\xff\xfe",
        b"[" * 100_000,
        b"a=1&" * 100_000,
    ],
)
def test_what_names_no_status_or_no_lead_is_nothing(raw: bytes) -> None:
    assert parse_status(raw) is None


def test_long_values_are_cut() -> None:
    news = parse_status(b"lead_id=" + b"7" * 1000 + b"&status=" + b"x" * 1000)
    assert news is not None
    assert (len(news.crm_lead_id or ""), len(news.status)) == (128, 64)


@given(st.binary())
def test_no_bytes_raise(raw: bytes) -> None:
    news = parse_status(raw)
    assert news is None or (news.status and (news.crm_lead_id or news.phone_number))
