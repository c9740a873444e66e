"""What a revision must not do while code of the version before runs on the schema: found by reading its SQL.

Two comments right before a statement answer for it: `-- older code: ...` says why code of the version before goes on
working, `-- locks: ...` says why nobody waits long.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from migrations.plain_sql import OUTSIDE_MARK

OLDER_CODE, LOCKS = "-- older code: ", "-- locks: "

_TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|;", re.DOTALL)
_REVISION_LITERAL = re.compile(r"'\d{4}'")

CONTRACTING = {
    "drops": re.compile(r"\bDROP (?!CONSTRAINT|NOT NULL|DEFAULT|INDEX|TRIGGER|IDENTITY|EXPRESSION)"),
    "renames": re.compile(r"\bRENAME\b"),
    "changes a type": re.compile(r"\bALTER (COLUMN )?\S+ (SET DATA )?TYPE\b"),
    "forbids NULL": re.compile(r"\bSET NOT NULL\b"),
}
DOUBTFUL = {
    "adds a constraint": re.compile(r"\bADD (CONSTRAINT|CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY|EXCLUDE)\b"),
    "makes unique": re.compile(r"\bCREATE UNIQUE INDEX\b"),
    "adds a trigger": re.compile(r"\bCREATE (CONSTRAINT )?TRIGGER\b"),
    "replaces": re.compile(r"\bCREATE OR REPLACE\b"),
    "loosens": re.compile(r"\bDROP (CONSTRAINT|NOT NULL|DEFAULT|TRIGGER|IDENTITY|EXPRESSION)\b"),
    "changes a type": re.compile(r"^ALTER (TYPE|DOMAIN)\b"),
    "changes rows": re.compile(r"^(UPDATE (?!SCHEMA_COMPATIBILITY\b)|DELETE\b|TRUNCATE\b|WITH\b)"),
    "hides statements": re.compile(r"^DO\b"),
}
_SCANS = re.compile(
    r"\bADD (CONSTRAINT \S+ )?(CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY|EXCLUDE)\b(?!.*(NOT VALID|USING INDEX))"
    r"|\bSET NOT NULL\b|\bALTER (COLUMN )?\S+ (SET DATA )?TYPE\b|\bSTORED\b|\bDEFAULT [A-Z_]+ ?\("
)
_ADDS_COLUMN = re.compile(r"\bADD (COLUMN )?(IF NOT EXISTS )?(?!CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\S+ ")
_HAS_A_VALUE = re.compile(r"\b(DEFAULT|GENERATED)\b")
_NEW_TABLE = re.compile(r"^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)")
_TABLE = re.compile(r"^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\w+)|^CREATE \D*?\bON (?:ONLY )?(\w+)")
_REFERENCED = re.compile(r"\bREFERENCES (\w+)|^(?:DROP|LOCK|TRUNCATE) TABLE (?:IF EXISTS )?(\w+)")
_INDEX = re.compile(r"^CREATE (UNIQUE )?INDEX\b")
_RERUNNABLE_INDEX = re.compile(r"^CREATE (UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS \w+ ON\b")
_MOVE = re.compile(r"^UPDATE SCHEMA_COMPATIBILITY SET OLDEST_CODE = '(\d{4})'$")


@dataclass
class Statement:
    """One statement: upper case, single blanks, without comments, texts and bodies of functions."""

    sql: str = ""
    comments: list[str] = field(default_factory=list)

    @property
    def table(self) -> str | None:
        """The table that it alters, or puts an index or a trigger on."""
        found = _TABLE.match(self.sql)
        return (found[1] or found[2]) if found else None

    @property
    def locked(self) -> set[str]:
        """Every table, of those that there were before, that others may have to wait for."""
        named = {name for found in _REFERENCED.findall(self.sql) for name in found if name}
        return named | ({self.table} if self.table else set())

    def explains(self, mark: str) -> bool:
        """Whether a comment before it begins with `mark` and goes on."""
        return any(comment.startswith(mark) and len(comment) > len(mark) for comment in self.comments)


def statements(text: str) -> list[Statement]:
    """The statements of a file, each with the comments before it."""
    found, position = [Statement()], 0
    for token in _TOKEN.finditer(text):
        found[-1].sql += text[position : token.start()]
        position = token.end()
        if token[0] == ";":
            found.append(Statement())
        elif token[0].startswith("--"):
            found[-1].comments.append(token[0].strip())
        elif not token[0].startswith("/*"):
            found[-1].sql += token[0] if _REVISION_LITERAL.fullmatch(token[0]) else "''"
    found[-1].sql += text[position:]
    for statement in found:
        statement.sql = " ".join(statement.sql.upper().split())
    return [statement for statement in found if statement.sql]


def moved_to(text: str) -> str | None:
    """The oldest code that a file says works after it; None if it does not say."""
    moves = [found[1] for statement in statements(text) if (found := _MOVE.match(statement.sql))]
    return moves[-1] if moves else None


def complaints(text: str, *, before: str, oldest_code: str) -> list[str]:
    """What is wrong with a revision that follows revision `before`, on a schema that worked for `oldest_code`."""
    outside = text.startswith(OUTSIDE_MARK)
    every = statements(text)
    moved = moved_to(text)
    new = {found[1] for statement in every if (found := _NEW_TABLE.match(statement.sql))}
    wrong = [
        complaint
        for statement in every
        if statement.table not in new
        for complaint in (*_older_code(statement, moved=moved is not None), *_locks(statement, outside=outside))
    ]
    locked = [statement.locked - new for statement in every if not statement.explains(LOCKS)]
    if len(set().union(*locked)) > 1:
        names = ", ".join(sorted(set().union(*locked))).lower()
        wrong.append(f"locks {names}, one while it waits for the next: a revision for each, or `{LOCKS}why it may`")
    if moved is not None and not oldest_code <= moved <= before:
        wrong.append(f"moves oldest_code to {moved}: from {oldest_code} to {before} is possible")
    return wrong


def _older_code(statement: Statement, *, moved: bool) -> Iterator[str]:
    if moved:
        return
    contracts = [name for name, pattern in CONTRACTING.items() if pattern.search(statement.sql)]
    if statement.sql.startswith("ALTER TABLE") and any(map(_needs_a_value, _actions(statement.sql))):
        contracts.append("adds a column that older code does not fill")
    for name in contracts:
        yield f"{name}, so it must move oldest_code in the same transaction: {statement.sql}"
    if contracts or statement.explains(OLDER_CODE):
        return
    for name, pattern in DOUBTFUL.items():
        if pattern.search(statement.sql):
            yield f"{name}: move oldest_code, or say `{OLDER_CODE}why it still works`: {statement.sql}"


def _locks(statement: Statement, *, outside: bool) -> Iterator[str]:
    if "CONCURRENTLY" in statement.sql and not outside:
        yield f"CONCURRENTLY needs the first line `{OUTSIDE_MARK}`: {statement.sql}"
    if _INDEX.match(statement.sql) and "CONCURRENTLY" in statement.sql:
        if not _RERUNNABLE_INDEX.match(statement.sql):
            yield f"cannot be run again, write CONCURRENTLY IF NOT EXISTS name: {statement.sql}"
    elif (_INDEX.match(statement.sql) or _SCANS.search(statement.sql)) and not statement.explains(LOCKS):
        yield f"keeps a table from being written while it is read whole; say `{LOCKS}why it may`: {statement.sql}"


def _needs_a_value(action: str) -> bool:
    added = _ADDS_COLUMN.search(action)
    return bool(added and re.search(r"\b(NOT NULL|PRIMARY KEY)\b", action) and not _HAS_A_VALUE.search(action))


def _actions(sql: str) -> Iterator[str]:
    """The parts between commas that stand in no parentheses."""
    depth, part = 0, ""
    for letter in sql:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            yield part
            part = ""
        else:
            part += letter
    yield part
