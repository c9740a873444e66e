"""An owner of child processes to be killed: `python -m tests.services.up.owner FOLDER`; prints the children's ids."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from services.cli.up.processes import Program, Watchdog, spawn


async def _own(folder: Path) -> None:
    watchdog = Watchdog()
    await watchdog.start()
    leashed = Program("leashed", "tests.services.up.stand_in", dict(os.environ), folder / "leashed.log", ("0",))
    child = await spawn(leashed, watchdog)
    loose = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    watchdog.guard(loose.pid, signal.SIGINT)
    sys.stdout.write(f"{child.pid} {loose.pid}\n")
    sys.stdout.flush()
    await asyncio.sleep(1000)


if __name__ == "__main__":
    asyncio.run(_own(Path(sys.argv[1])))
