"""What processes use, from /proc: CPU seconds (a tick is 10 ms) and memory. Linux alone."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _CSTIME = 1, 11, 14
"""Fields of /proc/<pid>/stat behind the name, which may itself hold blanks."""


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all its children so far, those that ended included."""
    return sum(_cpu_ticks(one) for one in _family(pid)) / TICKS_PER_SECOND


def machine_seconds() -> float:
    """CPU time that all processes of the machine have used."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").split()[1:9]
    user, nice, system, _idle, _iowait, irq, softirq, _steal = map(int, fields)
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND


def peak_mib(pid: int) -> float:
    """The most memory (RSS) that the process ever had."""
    return _kib(Path(f"/proc/{pid}/status"), "VmHWM:") / 1024


def shared_out_mib(pid: int) -> float:
    """Memory of a process and its children now; what they share is counted once (PSS)."""
    return sum(_kib(Path(f"/proc/{one}/smaps_rollup"), "Pss:") for one in _family(pid)) / 1024


def _family(pid: int) -> Iterator[int]:
    """The process and its children. Which ones there are is asked anew each time: sessions come and go."""
    yield pid
    for path in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(path.name))
        if fields and int(fields[_PPID]) == pid:
            yield from _family(int(path.name))


def _cpu_ticks(pid: int) -> int:
    return sum(map(int, _stat(pid)[_UTIME : _CSTIME + 1]))


def _stat(pid: int) -> list[str]:
    """Nothing of a process that has just ended: its parent has its times then."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _kib(path: Path, field: str) -> int:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(field)), 0)
