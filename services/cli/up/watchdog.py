"""Outlives `leadline up` by a moment: when that is killed, it tells the processes that would stay behind to stop.

PostgreSQL must be asked (SIGINT) rather than killed with its parent, and systems other than Linux know no other way.
Run by path with `python -I -S`; reads lines `+PID SIGNAL` and `-PID`; at the end of its input it signals who is left.
"""

import contextlib
import os
import sys


def main() -> None:
    """Read orders until the writer is gone."""
    guarded: dict[int, int] = {}
    for line in sys.stdin:
        words = line.split()
        if words[0].startswith("+"):
            guarded[int(words[0][1:])] = int(words[1])
        else:
            guarded.pop(int(words[0][1:]), None)
    for pid, number in guarded.items():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


if __name__ == "__main__":
    main()
