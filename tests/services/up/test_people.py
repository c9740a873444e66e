"""Sample leads are invented people with numbers that are really dialable, all over the country."""

from leadline.domain.phone import number_zones, parse_phone_number
from leadline.domain.zones import possible_zones
from services.cli.up.people import MOST_PEOPLE, people
from services.cli.up.places import AREAS, CAPITALS, FIRST_AREAS, STATE_NAMES
from services.cli.up.posting import sent_again


def test_every_number_is_fictional_callable_and_comes_once() -> None:
    everybody = list(people(0, MOST_PEOPLE))
    assert len({person.phone_number for person in everybody}) == MOST_PEOPLE
    for person in everybody:
        assert parse_phone_number(person.body["phone_number"]) == person.phone_number
        assert person.phone_number[5:10] == "55501"


def test_the_same_people_every_time_and_others_after_them() -> None:
    assert list(people(0, 30)) == [*people(0, 20), *people(20, 10)]
    assert list(people(MOST_PEOPLE - 1, 5)) == list(people(MOST_PEOPLE - 1, 1))


def test_twenty_people_span_the_country() -> None:
    twenty = list(people(0, 20))
    zones = {zone for person in twenty for zone in number_zones(parse_phone_number(person.phone_number))}
    assert {"Pacific/Honolulu", "America/Anchorage", "America/New_York", "America/Los_Angeles"} <= zones
    assert any(len(number_zones(parse_phone_number(person.phone_number))) > 1 for person in twenty)
    assert any(person.state and person.phone_number[2:5] not in AREAS[person.state] for person in twenty)
    assert {person.as_form for person in twenty} == {True, False}
    assert sent_again(twenty)


def test_every_spelling_of_a_state_is_understood() -> None:
    for person in people(0, 300):
        if person.state is not None:
            number = parse_phone_number(person.phone_number)
            assert possible_zones(number, person.body["state"]) == possible_zones(number, person.state)


def test_the_second_post_is_the_same_person_under_another_lead_id() -> None:
    some = list(people(0, 200))
    for again in sent_again(some):
        first = next(person for person in some if person.phone_number == again.phone_number)
        assert again.body["lead_id"] != first.body["lead_id"]


def test_the_tables_fit_together() -> None:
    assert AREAS.keys() == CAPITALS.keys() == STATE_NAMES.keys()
    codes = [code for group in AREAS.values() for code in group]
    assert len(codes) == len(set(codes))
    assert set(FIRST_AREAS) <= set(codes)
    assert all(len(postal_code) == 5 and postal_code.isdigit() for _, postal_code in CAPITALS.values())
