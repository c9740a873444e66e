"""Readers are total: any JSON value under any key gives a record or a reason, and a merge never depends on order."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.legacy.clock import HostClock
from leadline.legacy.facts import Quarantined, Record
from leadline.legacy.lists import ListedLead, ListedNumber, read_bad_number, read_flag
from leadline.legacy.merging import merge
from leadline.legacy.outcomes import read_outcome, says_stop
from leadline.legacy.reading import read_row
from leadline.legacy.shapes import LEAD_SHAPES, Shape
from leadline.legacy.values import Unreadable
from tests.unit.legacy.rows import NUMBER, redial_row

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
likely = st.sampled_from(
    [0, 3, -1, 1_767_701_520_000, 1e300, "", "DNC", "SALE", "pending", "completed", "rescheduled", "2026-01-06", NUMBER]
)
values = likely | anything
rows = st.builds(
    lambda changes: redial_row(**changes), st.dictionaries(st.sampled_from(sorted(redial_row())), values, max_size=4)
)
requests = st.fixed_dictionaries(
    {"type": st.sampled_from(["call", "callback"]) | values, "timestamp": values, "payload": rows | values}
)
days = st.fixed_dictionaries(
    {
        "phone_number": st.just(NUMBER) | values,
        "calls": st.lists(st.dictionaries(st.sampled_from(["call_id", "timestamp", "outcome"]), values)) | values,
        "blocked": values,
        "blocked_reason": values,
        "lead_ids": st.lists(values) | values,
    }
)
states = st.tuples(values, rows | values).map(list)
SHAPES = sorted(LEAD_SHAPES)


@pytest.mark.parametrize("shape", SHAPES)
@given(raw=rows | requests | days | states | anything, key=st.text(max_size=20) | st.just(NUMBER))
def test_any_value_is_a_record_or_has_a_reason(shape: Shape, raw: Any, key: str) -> None:
    first = read_row(shape, raw, key, HostClock())
    if isinstance(first, Quarantined):
        assert first.field
        assert first.reason
    else:
        merge([first]).model_dump_json()
    # Whether a row can be read does not depend on the clock, which is known only after all were read.
    later = read_row(shape, raw, key, HostClock(None, proven=True))
    assert isinstance(later, Record) == isinstance(first, Record)


@given(raw=anything | st.dictionaries(st.sampled_from(["field", "value", "reason", "added_at"]), values))
def test_any_flag_is_an_entry_or_has_a_reason(raw: Any) -> None:
    for reader in (read_flag, lambda value: read_bad_number(value, "8505550133")):
        assert outcome_of(reader, raw)


def outcome_of(reader: Callable[[Any], ListedNumber | ListedLead], raw: Any) -> str:
    """The reason of an entry, or the field that is wrong."""
    try:
        return reader(raw).reason
    except Unreadable as error:
        return error.field


@given(value=anything)
def test_any_value_may_stand_where_an_outcome_does(value: Any) -> None:
    read_outcome(value)
    assert says_stop([value, "DNC"])


@given(raws=st.lists(rows, min_size=1, max_size=5), order=st.randoms(use_true_random=False))
def test_a_merge_does_not_depend_on_the_order_of_rows(raws: list[Any], order: Any) -> None:
    read = [read_row(Shape.REDIAL_QUEUE, raw, "", HostClock()) for raw in raws]
    records = [record for record in read if isinstance(record, Record) and record.number == NUMBER]
    if not records:
        return
    shuffled = records + records[:1]
    order.shuffle(shuffled)
    assert merge(shuffled) == merge(records)
