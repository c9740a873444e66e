"""Files that are made from code, each with the function that makes it.

`python -m tests.house.generated --check | --write`.
"""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterator

import services
from leadline.runtime.settings import ProcessSettings
from leadline.runtime.settings.table import settings_table
from tests.house.tree import ROOT


def process_settings() -> list[type[ProcessSettings]]:
    """What each process reads: the ProcessSettings of every `services.<name>.settings`."""
    for module in pkgutil.iter_modules(services.__path__):
        name = f"services.{module.name}.settings"
        if module.ispkg and importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
    return [known for known in ProcessSettings.__subclasses__() if known.__module__.startswith("services.")]


GENERATED: dict[str, Callable[[], str]] = {
    "docs/operations/settings.md": lambda: settings_table(process_settings()),
}


def differing() -> Iterator[str]:
    """Files that are not what would be generated now."""
    for name, generate in GENERATED.items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != generate():
            yield name


def main(arguments: list[str]) -> int:
    """Check (exit 1 and a line per file that differs) or write."""
    if arguments == ["--write"]:
        for name, generate in GENERATED.items():
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(generate(), encoding="utf-8")
        return 0
    if arguments != ["--check"]:
        sys.stderr.write("usage: python -m tests.house.generated --check | --write\n")
        return 2
    wrong = list(differing())
    for name in wrong:
        sys.stderr.write(f"{name}: differs from what the code says; run `make generated`\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
