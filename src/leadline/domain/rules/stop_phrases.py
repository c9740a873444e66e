"""Words by which a person says stop. Read only in the person's own lines: what an agent offers is nobody's wish.

Where a sentence can be read either way it is a stop: an operator can lift a suppression, nobody can unmake a call.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_APOSTROPHES: Final = re.compile(
    "['\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{PRIME}`\N{ACUTE ACCENT}]"
)
_FILLERS: Final = re.compile(r",?\s*\b(?:uh+|um+|erm?|ah+|hmm+)\b,?")
_JOINED: Final = re.compile(r"[-_]+")
_PAUSE: Final = re.compile(r"[^\w\s]+")

_DONT: Final = r"(?:do not|dont|donot)"
_REACH: Final = r"(?:call|phone|ring|dial|contact|text|message|(?:bother|disturb|harass) (?:me|us))"
_REACHING: Final = (
    r"(?:calling|phoning|ringing|dialing|dialling|contacting|texting|messaging|bothering|disturbing|harassing)"
)
_REACHED: Final = r"(?:called|phoned|contacted|bothered|disturbed|texted)"
_ME: Final = r"(?:me|us|(?:my|our)(?: \w+)? (?:name|number|info|information)|this (?:phone )?number)"
_YOU: Final = r"(?:you|you guys|you people|anyone|anybody|anyone else|them|people)"
_LATER: Final = r"(?! (?:me |us |back |me back |us back )?(?:before|until|till)\b)"
"""Short of the wish to be called at another time: "don't call me before five" names one."""


def _phrases(*words: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"\b(?:{phrase})\b") for phrase in words)


_ORDERS: Final = _phrases(
    rf"{_DONT} (?:ever |even |please |you |you ever |you dare |dare )?{_REACH}{_LATER}",
    rf"{_DONT} (?:be|keep|go|start) {_REACHING}",
    rf"{_DONT} (?:even )?think about {_REACHING}",
    rf"{_DONT} bother (?:calling|to call|with calls)",
    rf"never (?:ever )?{_REACH}",
)
"""What somebody is told not to do; about somebody else it is talk (`I never call`, `if you don't call`)."""

_REQUESTS: Final = _phrases(
    rf"(?:stop|quit|cease) {_REACHING}",
    r"stop (?:(?:with|all|the|these|those|your|making) )+(?:phone )?calls",
    rf"take {_ME} off(?! (?:of )?(?:hold|speaker|mute|the hook|the speaker))",
    r"take it off (?:of )?(?:your|the|this|that) (?:\w+ ){0,2}list",
    rf"get {_ME} off (?:of )?(?:your|the|this|that) (?:\w+ ){{0,2}}list",
    rf"(?:remove|delete|erase|scratch) {_ME}",
    r"(?:lose|forget|destroy|throw away) (?:my|our|this) (?:phone )?number",
    r"leave (?:me|us) alone",
)
"""What somebody is asked to do; asked about, it is talk (`did you stop calling`)."""

_WISHES: Final = _phrases(
    rf"{_DONT} (?:want|need|like|wish) {_YOU} (?:to )?(?:ever )?(?:{_REACH}|{_REACHING})",
    rf"{_DONT} (?:want|need|like|wish) (?:(?:any|more|anymore|these|your|to get|to receive|to have|to be) )*"
    rf"(?:(?:phone |sales )?calls|{_REACHING}|{_REACHED})",
    rf"(?:told|tell|telling|asked|asking|said|say|want|prefer|rather)(?: \w+){{0,3}} not (?:to )?(?:be )?"
    rf"(?:{_REACH}|{_REACHING})",
    rf"better not (?:be )?(?:{_REACH}|{_REACHING})",
    r"no more (?:phone |sales )?calls",
    r"(?:do not call|dnc|no call) (?:list|registry)",
    r"opt(?:ing|ed)? (?:me |us )?out",
    r"unsubscribe",
    r"cease and desist",
    r"(?:revoke|revoking|withdraw|withdrawing) (?:\w+ ){0,2}(?:consent|permission)",
    r"no (?:me |nos )?(?:vuelva|vuelvan|vuelvas) a (?:llamar|llamarme|llamarnos|marcar|marcarme)",
    r"no (?:me |nos )?(?:llame|llamen|llames|marque|marquen)(?! (?:antes|hasta)\b)",
    r"(?:deje|dejen|deja|pare|paren) de (?:llamar|llamarme|llamarnos|molestar|molestarme)",
    r"(?:quiteme|quitenme|quitame|saqueme|saquenme|borreme|borrenme|elimineme|eliminenme)",
)
"""What the person says of their own will, whatever stands before it."""

_BARE_STOP: Final = re.compile(
    r"(?:(?:no|please|just|okay|ok|i said|por favor) )*(?:stop|basta)(?: (?:stop|it|please|now|this))*"
)

_TELLING: Final = re.compile(
    "call|phon|ring|dial|contact|text|messag|bother|disturb|harass|stop|basta| off|remove|delete|erase|scratch|number"
    "|alone|dnc|opt|unsubscribe|desist|consent|permission|llam|marque|marcar|molest|quit|saque|borre|elimin"
)
"""One of these is in every phrase: most lines are done after a single look."""

_DENIED: Final = (
    r"\b(?:not|never|didnt|dont|wasnt|arent|isnt) (?:i )?(?:say|saying|said|tell|telling|told|ask|asking|asked)"
    r"(?: you| them)?(?: to| that)? $"
)
_ORDER_IS_TALK: Final = re.compile(rf"\b(?:i|we|they|he|she|why) $|{_DENIED}")
_ORDER_TO_YOU: Final = re.compile(r"(?<!\btold )(?<!\btell )(?<!\bsaid )(?<!\basked )\byou $")
_REQUEST_IS_TALK: Final = re.compile(
    rf"\b(?:did|didnt|when|if) you $|\b(?:do not|dont|never|wont)(?: have to| need to| want you to)? $|{_DENIED}"
)
_FOR_EVER: Final = re.compile(r" (?:\w+ ){0,3}?(?:again|anymore|any more|ever)\b")
"""Words after `you never call` that make it an order after all (`you never call me again`)."""

_NEARBY: Final = 60
"""Letters before a phrase that are read for its meaning; a bound, so that a long line is read in linear time."""


def stop_phrase_in(line: str) -> str | None:
    """The words in a line of the person that ask never to be called; None if there are none."""
    plain = _plain(line)
    if not _TELLING.search(plain):
        return None
    clauses = [" ".join(clause.split()) for clause in _PAUSE.split(plain)]
    said = " ".join(clause for clause in clauses if clause)
    if _BARE_STOP.fullmatch(said):
        return said
    return next((found for clause in clauses for found in _stops(clause)), None)


def _plain(line: str) -> str:
    """Lower case without accents, apostrophes, fillers and hyphens; pauses (punctuation) are kept."""
    text = _APOSTROPHES.sub("", line).casefold()
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    return _FILLERS.sub(" ", _JOINED.sub(" ", text))


def _stops(clause: str) -> Iterable[str]:
    for match in _matches(_WISHES, clause):
        yield match.group()
    for match in _matches(_REQUESTS, clause):
        if not _REQUEST_IS_TALK.search(_before(match)):
            yield match.group()
    for match in _matches(_ORDERS, clause):
        before = _before(match)
        told_you = not _ORDER_TO_YOU.search(before) or _FOR_EVER.match(clause, match.end())
        if told_you and not _ORDER_IS_TALK.search(before):
            yield match.group()


def _before(match: re.Match[str]) -> str:
    return match.string[max(0, match.start() - _NEARBY) : match.start()]


def _matches(phrases: tuple[re.Pattern[str], ...], clause: str) -> Iterable[re.Match[str]]:
    return (match for phrase in phrases for match in phrase.finditer(clause))
