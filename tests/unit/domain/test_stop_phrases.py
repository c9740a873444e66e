"""What counts as saying stop, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.rules.stop_phrases import stop_phrase_in


@pytest.mark.parametrize(
    "line",
    [
        "Do not call me",
        "do not call",
        "Don't call me again.",
        "Dont call this number",
        "don\N{RIGHT SINGLE QUOTATION MARK}t call me anymore",
        "DON'T EVER CALL ME",
        "Don't you dare call here again",
        "please don't call",
        "I said don't call me!",
        "I told you don't call me",
        "I told you not to call me anymore",
        "I asked you to not call",
        "I'd rather you not call me",
        "You better not call me again",
        "Stop calling me",
        "stop calling",
        "Can you stop calling me?",
        "Would you please stop calling this number",
        "You need to stop calling me.",
        "stop contacting me",
        "Please stop these calls",
        "stop with the calls",
        "Quit calling me",
        "quit bothering me",
        "Take me off your list and don't call me again.",
        "Take me off the list.",
        "Can you take me off?",
        "take my number off",
        "Take my phone number off of your list",
        "get me off your calling list",
        "Remove me from your list",
        "remove me",
        "Please remove my number",
        "remove my phone number from the system",
        "I want you to remove me from your database",
        "delete my number",
        "Delete my information",
        "Never call me again",
        "never call this number",
        "You never call me again, you hear?",
        "Lose my number",
        "forget this number",
        "No more calls please",
        "I don't want any more calls",
        "I don't want you to call me",
        "I do not want to be called",
        "We don't want your calls",
        "I don't need you people calling me",
        "don't contact me",
        "Do not contact us.",
        "put me on the do not call list",
        "Put me on your do-not-call list",
        "I'm on the national do not call registry",
        "I want to opt out",
        "opt me out",
        "Unsubscribe",
        "I revoke my consent",
        "cease and desist",
        "Leave me alone",
        "Stop.",
        "STOP",
        "No, stop. Please stop.",
        "Don't, uh, call me",
        "don't bother calling",
        "Don't keep calling me",
        "No me llame m\N{LATIN SMALL LETTER A WITH ACUTE}s",
        "Deje de llamarme",
        "Por favor qu\N{LATIN SMALL LETTER I WITH ACUTE}teme de la lista",
        "no vuelva a llamar",
    ],
)
def test_stop(line: str) -> None:
    assert stop_phrase_in(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "...",
        "You can call me",
        "Please call me tomorrow",
        "Why don't you call me tomorrow?",
        "Call me back",
        "Okay, what is this about?",
        "I don't call people back",
        "I never call those numbers",
        "You never call me back",
        "They don't call anymore, do they",
        "If you don't call me by five I will be upset",
        "Why did you stop calling?",
        "Did you stop calling my mother?",
        "Don't stop calling",
        "I didn't say stop calling",
        "I'm not saying don't call",
        "I never said to stop calling me",
        "Don't call me before five, call me after",
        "Don't call me until Monday",
        "Don't hesitate to call",
        "Don't forget to call me",
        "I don't. Call me later",
        "I don't, call me later",
        "Take me off hold",
        "take me off speaker",
        "Let me take my coat off",
        "Stop. Wait, say that again?",
        "I had to stop at the store",
        "Sorry, my phone was on do not disturb",
        "recalling the last time",
        "It doesn't strike me as cheap",
        "This is the number to call",
        "No, I am interested",
        "I don't want to call you guys, you call me",
        "remove the old plan",
        "never mind",
        "Do not worry",
        "Ll\N{LATIN SMALL LETTER A WITH ACUTE}meme ma\N{LATIN SMALL LETTER N WITH TILDE}ana",
        "No me llame antes de las cinco",
    ],
)
def test_not_stop(line: str) -> None:
    assert stop_phrase_in(line) is None


@given(st.text(max_size=200))
def test_any_line_has_an_answer(line: str) -> None:
    found = stop_phrase_in(line)
    assert found is None or found


@given(st.sampled_from(["stop calling me", "take me off your list", "do not call"]), st.text(max_size=50))
def test_a_stop_in_a_sentence_of_its_own_is_always_heard(phrase: str, other: str) -> None:
    assert stop_phrase_in(f"{other}. {phrase.upper()}. {other}") is not None


def test_a_very_long_line_is_read_to_its_end_in_little_time() -> None:
    assert stop_phrase_in("do not want any more " * 20_000 + ". Stop calling me") is not None
    for harmless in ("uh, ", "i never call ", "i dont ", "take ", "stop the ", "told you a b ", "a"):
        assert stop_phrase_in(harmless * 20_000) is None
