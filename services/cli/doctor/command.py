"""Runs the examinations one after the other and shows each finding as it is known."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from rich.text import Text

from leadline.runtime.settings import load
from leadline.runtime.settings.errors import SettingsError
from leadline.runtime.settings.parts import DataDirPart
from services.cli.connection import doctor_defaults
from services.cli.doctor import inside
from services.cli.doctor.ages import ages
from services.cli.doctor.finding import Finding, Verdict, wrong
from services.cli.doctor.outside import Examination, examinations
from services.cli.exits import CliError
from services.cli.printing import DIM, RED, console, print_json, text

_STYLES = {Verdict.WELL: "green", Verdict.ODD: "yellow", Verdict.WRONG: RED, Verdict.UNKNOWN: DIM}


def run(*, as_json: bool) -> None:
    """Examine everything. Raises CliError at the end if something is wrong."""
    findings = []
    out = console()
    for finding in examine():
        findings.append(finding)
        if not as_json:
            out.print(_line(finding), soft_wrap=True)
    bad = [finding.what for finding in findings if finding.verdict is Verdict.WRONG]
    if as_json:
        print_json({"well": not bad, "findings": [asdict(finding) for finding in findings]})
    if bad:
        raise CliError(f"not well: {', '.join(dict.fromkeys(bad))}; each line above that is wrong says what to do")


def examine() -> Iterator[Finding]:
    """All findings, each as soon as it is known."""
    try:
        environ = {**os.environ, **doctor_defaults()}
        yield from inside.examine()
    except SettingsError as error:
        yield wrong("settings", str(error), "docs/operations/settings.md lists every setting")
        return
    for examination in examinations():
        try:
            yield asyncio.run(_one(examination, environ))
        except SettingsError as error:
            yield wrong("settings", str(error), "docs/operations/settings.md lists every setting")
    yield ages(environ, load(DataDirPart, environ).data_dir / "keys")


async def _one(examination: Examination, environ: Mapping[str, str]) -> Finding:
    return await examination(environ)


def _line(finding: Finding) -> Text:
    style = _STYLES[finding.verdict]
    line = Text.assemble(text(f"{finding.verdict:<9}", style), text(f"{finding.what:<14} {finding.says}"))
    return Text.assemble(line, text(f"  -> {finding.then}")) if finding.then else line
