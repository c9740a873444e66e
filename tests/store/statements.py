"""Every SQL statement of the store, found by reading its source."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import leadline.store

_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_RUNNING = frozenset({"fetch", "fetchrow", "fetchval", "execute", "executemany", "fetch_one", "prepare", "cursor"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One `Final` constant that holds SQL."""

    name: str
    """`module.CONSTANT`."""
    text: str


def store_modules() -> Iterator[ModuleType]:
    """Every module of the store."""
    for found in pkgutil.iter_modules(leadline.store.__path__, "leadline.store."):
        yield importlib.import_module(found.name)


def tree_of(module: ModuleType) -> ast.Module:
    """The module's source as a tree."""
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def statements() -> Iterator[Statement]:
    """Every statement, in order."""
    for module in store_modules():
        short = module.__name__.removeprefix("leadline.store.")
        for node in tree_of(module).body:
            if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
                continue
            value = getattr(module, node.target.id, None)
            if isinstance(value, str) and value.lstrip().upper().startswith(_VERBS):
                yield Statement(f"{short}.{node.target.id}", value)


def queries_without_a_name() -> Iterator[str]:
    """Where the store runs SQL that is no constant of its module: `module:line`."""
    for module in store_modules():
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Call) and _runs_a_query(node) and not _is_constant(_query_of(node)):
                yield f"{module.__name__}:{node.lineno}"


def _runs_a_query(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _RUNNING and bool(call.args)
        case _:
            return False


def _query_of(call: ast.Call) -> ast.expr:
    """The first argument, or the second of `fetch_one(conn, query)`."""
    return call.args[1] if isinstance(call.func, ast.Name) else call.args[0]


def _is_constant(query: ast.expr) -> bool:
    return isinstance(query, ast.Name) and (query.id.isupper() or query.id == "query")
