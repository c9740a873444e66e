"""Groups that are bounded."""

from hypothesis import given
from hypothesis import strategies as st

from leadline.runtime.groups import in_groups, in_sized_groups

SIZES = st.lists(st.integers(0, 40))


@given(SIZES, st.integers(1, 7))
def test_groups_hold_everything_in_order_and_none_is_too_long(items: list[int], most: int) -> None:
    groups = list(in_groups(items, most))
    assert [item for group in groups for item in group] == items
    assert all(1 <= len(group) <= most for group in groups)


@given(SIZES, st.integers(1, 7))
def test_sized_groups_are_too_large_only_for_one_item_alone(items: list[int], most: int) -> None:
    groups = list(in_sized_groups(items, lambda size: size, most=most, most_bytes=30))
    assert [item for group in groups for item in group] == items
    assert all(1 <= len(group) <= most and (sum(group) <= 30 or len(group) == 1) for group in groups)
