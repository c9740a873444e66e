"""The keys of the chart's values.yaml with the comments above them, and the README that is made of them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.house.chart_schema import CHART, values_schema

_KEY = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z_][\w.-]*):(?: |$)")
_COMMENT = re.compile(r"^ *# ?(?P<text>.*)$")
_SECTION = "@section "
_HERE = "<!-- values -->"


@dataclass(frozen=True)
class Key:
    """One key of values.yaml."""

    path: tuple[str, ...]
    section: str
    comment: str
    """What stands directly above it, as one line; empty if nothing does."""

    def __str__(self) -> str:
        return ".".join(self.path)


def keys(text: str) -> Iterator[Key]:
    """Every key that stands on a line of its own, in order. Lists and flow mappings are values, not keys."""
    section = ""
    comment: list[str] = []
    open_keys: list[tuple[int, str]] = []
    for line in text.splitlines():
        said, key = _COMMENT.match(line), _KEY.match(line)
        if said and said["text"].startswith(_SECTION):
            section, comment = said["text"].removeprefix(_SECTION), []
        elif said:
            comment.append(said["text"])
        elif key:
            indent = len(key["indent"])
            open_keys = [*((at, name) for at, name in open_keys if at < indent), (indent, key["key"])]
            yield Key(tuple(name for _, name in open_keys), section, " ".join(comment).strip())
            comment = []
        else:
            comment = []


def value_at(values: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path. Raises KeyError."""
    for name in path:
        values = values[name]
    return values


def schema_at(schema: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:
    """The schema of a path, references resolved; None where the schema names no such key."""
    node = resolved(schema, schema)
    for name in path:
        below = node.get("properties", {}).get(name)
        if below is None:
            return None
        node = resolved(schema, below)
    return node


def resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """A node of the schema, or what it refers to with what stands beside the reference."""
    while "$ref" in node:
        beside = {name: value for name, value in node.items() if name != "$ref"}
        node = {**value_at(schema, tuple(node["$ref"].removeprefix("#/").split("/"))), **beside}
    return node


def readme() -> str:
    """README.md of the chart: the text of README.md.tmpl around the table of all values."""
    template = (CHART / "README.md.tmpl").read_text(encoding="utf-8")
    table = values_table((CHART / "values.yaml").read_text(encoding="utf-8"), values_schema())
    return template.replace(_HERE, table)


def values_table(text: str, schema: dict[str, Any]) -> str:
    """Markdown: a table for each section of values.yaml."""
    values = yaml.safe_load(text)
    known = [key for key in keys(text) if key.comment]
    parents = {key.path[:depth] for key in known for depth in range(1, len(key.path))}
    lines: list[str] = []
    section = None
    for key in known:
        if key.section != section:
            section = key.section
            lines += [f"\n### {section}\n", "| key | type | default | meaning |", "|---|---|---|---|"]
        default = "" if key.path in parents else f"`{json.dumps(value_at(values, key.path), ensure_ascii=False)}`"
        kind = _kind(schema_at(schema, key.path) or {})
        lines.append(f"| `{key}` | {kind} | {default} | {_cell(key.comment)} |")
    return "\n".join(lines).strip()


def _kind(node: dict[str, Any]) -> str:
    if "enum" in node:
        return _cell(" or ".join(f"`{word}`" for word in node["enum"]))
    kinds = node.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
