"""The `leadline` command. What runs in a pod is started without the commands for people, which load much more."""

import importlib
import sys

from services.cli.commands.processes import NAMES


def main() -> None:
    """Entry point of the console script; never returns."""
    in_a_pod = sys.argv[1:2] and sys.argv[1] in NAMES
    importlib.import_module("services.cli.pod" if in_a_pod else "services.cli.root").app()


if __name__ == "__main__":
    main()
