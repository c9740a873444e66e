"""Checkov's opinion of two scenarios: the first look, and real calls. What we see otherwise has its reason here."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.chart import RELEASE, values_files
from tests.deploy.helm_cli import template
from tests.deploy.schemas import NEWEST
from tests.deploy.tools import HELM_4, checkov_folder

_SECONDS = 110
_EVERYTHING = re.compile("")
_SEEN_OTHERWISE: dict[str, tuple[re.Pattern[str], str]] = {
    "CKV_K8S_8": (re.compile(r"Pod\..*-smoke"), "`helm test` ends by itself within activeDeadlineSeconds"),
    "CKV_K8S_9": (re.compile(r"Pod\..*-smoke"), "nothing waits for the pod of `helm test` to be ready"),
    "CKV_K8S_11": (_EVERYTHING, "a CPU limit only throttles; requests decide who gets what"),
    "CKV_K8S_15": (_EVERYTHING, "tags are versions and never move, so a node need not ask the registry again"),
    "CKV_K8S_35": (
        _EVERYTHING,
        "no workload reads another's secrets; LEADLINE_X_FILE and extraVolumes give files to who wants them",
    ),
    "CKV_K8S_40": (
        re.compile(r"StatefulSet\..*-postgres"),
        "999 is the user of the postgres image; the pod is for a first look",
    ),
    "CKV_K8S_43": (
        _EVERYTHING,
        "image.digest is the operator's choice; the default is the tag of the chart's appVersion",
    ),
}


@pytest.mark.slow
def test_checkov(tmp_path: Path) -> None:
    for name in ("dev", "live"):
        done = template(HELM_4, RELEASE, values_files()[name], NEWEST)
        (tmp_path / f"{name}.yaml").write_text(done.stdout, encoding="utf-8")
    checked = subprocess.run(
        [
            *(checkov_folder() / "bin" / "python", "-m", "checkov.main", "--directory", tmp_path),
            *("--framework", "kubernetes", "--compact", "--quiet", "--skip-download", "--output", "json"),
        ],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    report = json.loads(checked.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 1000
    failed = [
        (check["check_id"], check["check_name"], check["resource"]) for check in report["results"]["failed_checks"]
    ]
    assert not [
        found
        for found in failed
        if found[0] not in _SEEN_OTHERWISE or not _SEEN_OTHERWISE[found[0]][0].search(found[2])
    ]
    assert not set(_SEEN_OTHERWISE) - {number for number, _, _ in failed}, "no longer needed"
