"""What the person said in a call, apart from what the agent said."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from leadline.runtime import loose_json

_SPEAKER: Final = re.compile(
    r"\s*(user|assistant|robot|agent|agent-action|agent action|ai|bot|system|tool)\s*:\s*(.*)",
    re.IGNORECASE | re.DOTALL,
)
_SPEAKER_KEYS: Final = ("user", "speaker", "speaker_label", "role")


def person_lines(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The person's own lines, each once, from every transcript in the body. Total over any JSON."""
    lines = [*_spoken(body.get("transcripts")), *_spoken(body.get("corrected_transcript"))]
    lines.extend(_concatenated(loose_json.text(body.get("concatenated_transcript"))))
    return tuple(dict.fromkeys(line for line in lines if line))


def _spoken(transcripts: object) -> Iterator[str]:
    for line in loose_json.items(transcripts):
        if isinstance(line, dict) and _is_person(line):
            yield loose_json.text(line.get("text"))


def _is_person(line: Mapping[str, Any]) -> bool:
    return any(loose_json.text(line.get(key), 64).lower() == "user" for key in _SPEAKER_KEYS)


def _concatenated(transcript: str) -> Iterator[str]:
    """Lines after `user:`; a line without a speaker belongs to the one before."""
    person_speaks = False
    for line in transcript.splitlines():
        said = line.strip()
        if named := _SPEAKER.fullmatch(line):
            person_speaks = named[1].lower() == "user"
            said = named[2].strip()
        if person_speaks:
            yield said
