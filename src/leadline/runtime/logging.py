"""Logs: an event is a snake_case verb phrase, its data stand as keys. JSON in a cluster, readable on a terminal.

Callers mask telephone numbers before they log them. What others say, a database's error in a traceback above all, may
still hold one: whatever looks like one is masked in every line.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from leadline.runtime.tracing import current_ids

_DATA = "leadline_data"
_MAX_TEXT = 2000
_NUMBER = re.compile(r"\+(\d)\d{2,10}(\d{4})(?!\d)")
_QUIET_LOGGERS = ("aiohttp.access", "asyncio", "alembic", "urllib3")


class Log:
    """Writes events. Safe from any thread; values are logged with `str` unless JSON knows them."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, /, **data: object) -> None:
        """For whoever develops."""
        self._write(logging.DEBUG, event, data)

    def info(self, event: str, /, **data: object) -> None:
        """Something happened as it should."""
        self._write(logging.INFO, event, data)

    def warning(self, event: str, /, **data: object) -> None:
        """Something is odd and was dealt with."""
        self._write(logging.WARNING, event, data)

    def error(self, event: str, /, *, exc_info: BaseException | None = None, **data: object) -> None:
        """Someone should look."""
        self._write(logging.ERROR, event, data, exc_info)

    def exception(self, event: str, /, **data: object) -> None:
        """As `error`, with the traceback of the exception being handled."""
        self._write(logging.ERROR, event, data, exc_info=sys.exception())

    def _write(self, level: int, event: str, data: Mapping[str, object], exc_info: BaseException | None = None) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={_DATA: data}, exc_info=exc_info)


def get_logger(name: str) -> Log:
    """The log of a module, which passes its `__name__`."""
    return Log(name)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, event, process, logger, in a span its trace_id and span_id, then the data."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Serialise; never raises for odd data."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": _event(record),
            "process": self._process,
            "logger": record.name,
        }
        if ids := current_ids():
            line["trace_id"], line["span_id"] = ids
        line |= {key: value for key, value in _data(record).items() if key not in line}
        if record.exc_info:
            line["error"] = _traceback(record)
        return _masked(json.dumps(line, default=_readable, ensure_ascii=False))


class ConsoleFormatter(logging.Formatter):
    """`12:00:01.234 info    dialer  call_placed attempt_id=... trace_id=...`."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One readable line; a traceback follows on lines of its own."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S.%f")[:-3]
        data = "".join(f" {key}={_readable(value)}" for key, value in _data(record).items())
        ids = current_ids()
        trace = f" trace_id={ids[0]}" if ids else ""
        text = f"{at} {record.levelname.lower():<7} {self._process:<8} {_event(record)}{data}{trace}"
        return _masked(f"{text}\n{_traceback(record)}" if record.exc_info else text)


def _event(record: logging.LogRecord) -> str:
    return str(record.msg) if hasattr(record, _DATA) else "library_said"


def _data(record: logging.LogRecord) -> dict[str, Any]:
    if hasattr(record, _DATA):
        return dict(getattr(record, _DATA))
    return {"message": record.getMessage()[:_MAX_TEXT]}


def _traceback(record: logging.LogRecord) -> str:
    return "".join(traceback.format_exception(*record.exc_info)).rstrip() if record.exc_info else ""


def _masked(line: str) -> str:
    return _NUMBER.sub(r"+\1******\2", line)


def _readable(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)[:_MAX_TEXT]


def configure_logging(
    process: str, *, level: str = "info", log_format: str = "auto", stream: TextIO | None = None
) -> None:
    """Send everything that is logged to `stream` (stderr). `auto` is readable on a terminal and JSON elsewhere.

    Replaces what an earlier call configured; libraries are heard from `warning` upwards.
    """
    stream = stream or sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(process) if as_json else ConsoleFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
