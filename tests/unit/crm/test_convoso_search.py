"""Searches are read to their end or not believed; of several leads the strictest speaks."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from leadline.contracts.crm import Learned
from leadline.crm.convoso_search import Found, find_all, learned_from
from leadline.crm.port import CrmNonsense
from leadline.domain.crm import CrmStanding, CrmStatus
from leadline.domain.ids import PhoneNumber

NUMBER = PhoneNumber("+15615550123")
STATUSES = {
    "SALE": CrmStatus("SALE", "Sale", final=True, success=True),
    "DNC": CrmStatus("DNC", "Do not call", final=True, dnc=True),
    "A": CrmStatus("A", "Answering machine"),
}
SAMPLE = Path(__file__).parents[2] / "samples" / "convoso" / "leads-search.json"


class Convoso:
    """Pages over `rows` as it is told to; keeps the forms."""

    def __init__(self, rows: list[Any], total: Any = None, most: int = 2000, *, deaf: bool = False) -> None:
        self.rows = rows
        self.total = len(rows) if total is None else total
        self.most = most
        self.deaf = deaf
        self.forms: list[Mapping[str, str]] = []

    async def ask(self, _path: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        self.forms.append(form)
        first = 0 if self.deaf else int(form["offset"])
        end = first + min(int(form["limit"]), self.most)
        return {"success": True, "data": {"total": self.total, "entries": self.rows[first:end]}}


async def found_by(convoso: Convoso, most_rows: int = 100) -> Found:
    return await find_all(convoso.ask, "leads/search", {"phone_number": "1"}, page_rows=10, most_rows=most_rows)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 35])
@pytest.mark.parametrize("total", [None, "text", "unreadable"])
@pytest.mark.parametrize("most", [3, 2000])
async def test_all_pages_are_read(count: int, total: str | None, most: int) -> None:
    rows = [{"id": n} for n in range(count)]
    shown = {None: count, "text": str(count), "unreadable": {}}[total]
    found = await found_by(Convoso(rows, shown, most))
    assert (list(found.rows), found.complete) == (rows, True)


async def test_what_was_asked_for_stands_in_every_form() -> None:
    convoso = Convoso([{"id": n} for n in range(11)])
    await found_by(convoso)
    assert convoso.forms == [
        {"phone_number": "1", "offset": "0", "limit": "10"},
        {"phone_number": "1", "offset": "10", "limit": "10"},
    ]


async def test_a_page_that_comes_twice_is_not_progress() -> None:
    with pytest.raises(CrmNonsense):
        await found_by(Convoso([{"id": n} for n in range(15)], deaf=True))


async def test_fewer_rows_than_were_counted_are_not_all() -> None:
    with pytest.raises(CrmNonsense):
        await found_by(Convoso([{"id": 1}], total="2"))


async def test_reading_has_an_end() -> None:
    found = await found_by(Convoso([{"id": n} for n in range(5000)]), most_rows=100)
    assert (len(found.rows), found.complete) == (100, False)


def lead(status: Any, lead_id: str = "1", phone_number: Any = "5615550123") -> dict[str, Any]:
    return {"id": lead_id, "status": status, "list_id": "9", "phone_number": phone_number}


def learned(*rows: Any, complete: bool = True, unlisted_is_open: bool = False) -> Learned:
    return learned_from(NUMBER, Found(rows, complete), STATUSES, unlisted_is_open=unlisted_is_open)


def test_of_the_sample_the_sale_decides() -> None:
    word = learned(*json.loads(SAMPLE.read_bytes())["data"]["entries"])
    assert word == Learned(standing=CrmStanding.SALE, status="SALE", crm_lead_id="412871", crm_list_id="1044")


def test_the_strictest_lead_decides_and_is_named() -> None:
    word = learned(lead("A", "1"), lead("SALE", "2"), lead("DNC", "3"), lead("?", "4"))
    assert (word.standing, word.status, word.crm_lead_id) == (CrmStanding.DNC, "DNC", "3")


def test_an_open_lead_is_a_permission() -> None:
    assert learned(lead("a"), lead("A", "2")) == Learned(
        standing=CrmStanding.OPEN, status="a", crm_lead_id="1", crm_list_id="9"
    )


@pytest.mark.parametrize("row", [lead("VM"), lead(None), lead({"x": 1}), {}, "nonsense", None, 7])
def test_a_lead_that_cannot_be_understood_beside_an_open_one_is_no_permission(row: Any) -> None:
    word = learned(lead("A"), row)
    assert word.standing is CrmStanding.UNKNOWN
    assert word.problem


def test_leads_of_other_numbers_say_nothing() -> None:
    word = learned(lead("DNC", "1", "5615550199"), lead("A", "2"))
    assert (word.standing, word.crm_lead_id) == (CrmStanding.OPEN, "2")


@pytest.mark.parametrize("unlisted_is_open", [False, True])
def test_nothing_but_leads_of_other_numbers_is_no_answer(unlisted_is_open: bool) -> None:
    word = learned(lead("A", "1", "5615550199"), unlisted_is_open=unlisted_is_open)
    assert (word.standing, word.crm_lead_id) == (CrmStanding.UNKNOWN, None)


@pytest.mark.parametrize(("unlisted_is_open", "standing"), [(False, CrmStanding.UNKNOWN), (True, CrmStanding.OPEN)])
def test_a_number_without_a_lead_means_what_the_setting_says(unlisted_is_open: bool, standing: CrmStanding) -> None:
    word = learned(unlisted_is_open=unlisted_is_open)
    assert (word.standing, word.problem is None) == (standing, unlisted_is_open)


def test_what_was_not_read_to_its_end_permits_nothing_but_may_forbid() -> None:
    assert learned(lead("A"), complete=False).standing is CrmStanding.UNKNOWN
    assert learned(lead("SALE"), complete=False).standing is CrmStanding.SALE
