"""What a post-call event knows of its call beside the outcome: notes for people. Total over any bytes.

The names of the notes are ours; what a CRM calls them is its client's business.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from leadline.runtime import loose_json

LONGEST_TRANSCRIPT: Final = 30_000
LONGEST_NOTE: Final = 4000
_BODY_NOTES: Final = {
    "summary": ("summary",),
    "answered_by": ("answered_by",),
    "call_ended_by": ("call_ended_by",),
    "transferred_to": ("transferred_to",),
    "recording_url": ("recording_url",),
}
_VARIABLE_NOTES: Final = {
    "plan_type": ("plan_type",),
    "member_count": ("member_count",),
    "postal_code": ("postal_code", "zip", "zip_code"),
    "state": ("state", "customer_state"),
    "age": ("customer_age", "age"),
    "first_name": ("first_name",),
    "last_name": ("last_name",),
}
"""Notes and where they may stand, the best place first."""


def read_notes(raw: bytes) -> dict[str, str]:
    """The notes of an event; empty if it is none. Texts hold neither NUL nor lone surrogates and are never empty."""
    body = loose_json.mapping(loose_json.loads(raw))
    variables = loose_json.mapping(body.get("variables"))
    notes = {
        **_picked(body, _BODY_NOTES),
        **_picked(variables, _VARIABLE_NOTES),
        "transcript": _transcript(body),
    }
    return {name: note for name, note in notes.items() if note}


def _picked(source: Mapping[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {
        name: next((found for key in keys if (found := loose_json.text(source.get(key), LONGEST_NOTE))), "")
        for name, keys in wanted.items()
    }


def _transcript(body: Mapping[str, Any]) -> str:
    whole = loose_json.text(body.get("concatenated_transcript"))
    return (whole or "\n".join(_lines(body.get("transcripts"))))[:LONGEST_TRANSCRIPT].strip()


def _lines(transcripts: object) -> Iterator[str]:
    for line in loose_json.items(transcripts):
        if isinstance(line, dict) and (said := loose_json.text(line.get("text"))):
            speaker = loose_json.text(line.get("user"), 64)
            yield f"{speaker}: {said}" if speaker else said
