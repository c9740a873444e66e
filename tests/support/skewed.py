"""`python -m tests.support.skewed services.dialer`: a process on a machine whose wall clock is wrong, or steps.

PYTEST_CLOCK_SKEW_SECONDS is how wrong it is; PYTEST_CLOCK_STEP_SECONDS makes it right and wrong in turns, each for so
long. The monotonic clock is as it should be, as it is on a machine that NTP sets.
"""

import os
import runpy
import sys
import time

SKEW_VARIABLE = "PYTEST_CLOCK_SKEW_SECONDS"
STEP_VARIABLE = "PYTEST_CLOCK_STEP_SECONDS"


def skew_clock(skew_seconds: float, step_seconds: float) -> None:
    """From now on `time.time` and `time.time_ns` of this process are wrong."""
    right, right_ns = time.time, time.time_ns

    def wrong_by() -> float:
        return 0.0 if step_seconds and time.monotonic() % (2 * step_seconds) < step_seconds else skew_seconds

    time.time = lambda: right() + wrong_by()
    time.time_ns = lambda: right_ns() + round(wrong_by() * 1e9)


if __name__ == "__main__":
    skew_clock(float(os.environ[SKEW_VARIABLE]), float(os.environ.get(STEP_VARIABLE, "0")))
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
