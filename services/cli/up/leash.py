"""Starts a service so that it dies with `leadline up`: asks for SIGKILL at the parent's death, then becomes it.

Run by path with `python -I -S`: `leash.py PARENT_PID MODULE [ARGUMENT ...]`; imports nothing of ours.
Linux only; elsewhere `watchdog.py` alone does it.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become `python -m MODULE`."""
    parent, command = int(sys.argv[1]), [sys.executable, "-m", *sys.argv[2:]]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
    os.execv(sys.executable, command)  # noqa: S606 -- our own interpreter; the kernel keeps the order across exec


if __name__ == "__main__":
    main()
