"""The table of all settings, for people: generated, so that it cannot be behind."""

from collections.abc import Iterable, Iterator
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from leadline.runtime.settings.loader import Part, ProcessSettings
from leadline.runtime.settings.types import is_secret

_HEAD = """# Settings

Generated from the code by `make generated`; do not edit.

Every process reads environment variables, once, when it starts. Lists are comma-separated. An empty variable counts as
not set. A setting marked *secret* may also come from a file: `LEADLINE_X_FILE` names it (one of the two, not both).
A name with the prefix `LEADLINE_` or `REDIAL_` that does not stand below, and a value that cannot be, stop the process
with one line and exit code 2.
"""


def settings_table(processes: Iterable[type[ProcessSettings]]) -> str:
    """Markdown: each part with its variables, their defaults and meaning, and which of `processes` read it."""
    known = list(processes)
    sections = [_HEAD]
    for part in Part.parts:
        readers = {p.process for p in known if any(issubclass(read, part) for read in p.part_types().values())}
        sections.append("\n".join(_section(part, sorted(readers))))
    return "\n".join(sections)


def _section(part: type[Part], readers: list[str]) -> Iterator[str]:
    yield f"## {_title(part)}\n"
    yield f"{(part.__doc__ or '').strip().splitlines()[0]} Read by: {', '.join(readers) or 'no process yet'}.\n"
    yield "| variable | default | meaning |\n|---|---|---|"
    for field_name, info in part.model_fields.items():
        if field_name not in part.__annotations__:  # it stands in the table of the part it is inherited from
            continue
        meaning = (info.description or "").replace("|", "\\|") + _choice(info) + _mark(info)
        yield f"| `{part.variable(field_name)}` | {_default(info)} | {meaning} |"
    yield ""


def _title(part: type[Part]) -> str:
    name = part.__name__.removesuffix("Part")
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip().capitalize()


def _choice(info: FieldInfo) -> str:
    if get_origin(info.annotation) is not Literal:
        return ""
    return f" One of {', '.join(f'`{word}`' for word in get_args(info.annotation))}."


def _mark(info: FieldInfo) -> str:
    return " *Secret.*" if is_secret(info.annotation) else ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "*required*"
    words = info.json_schema_extra.get("default_words") if isinstance(info.json_schema_extra, dict) else None
    if words is not None:
        return str(words)
    value = info.get_default(call_default_factory=False)
    if value is None or value in ((), {}, frozenset()):
        return "none"
    if isinstance(value, frozenset):
        value = tuple(sorted(value, key=str))
    return f"`{','.join(map(_word, value)) if isinstance(value, tuple) else _word(value)}`"


def _word(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
