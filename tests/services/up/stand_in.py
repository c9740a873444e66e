"""A small service to start, kill and look at: `python -m tests.services.up.stand_in PORT [fail|stubborn]`."""

import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import FrameType


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name that the base class gave it
        """Quiet."""


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    """Answer 200 to everybody until SIGTERM."""
    how = sys.argv[2] if len(sys.argv) > 2 else ""
    if how == "fail":
        sys.stderr.write("stand-in: the setting is wrong\n")
        raise SystemExit(2)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if how == "stubborn" else _leave)
    sys.stderr.write("stand-in: started\n")
    HTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()


if __name__ == "__main__":
    main()
