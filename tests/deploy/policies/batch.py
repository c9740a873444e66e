"""CronJobs and Jobs: nothing runs for ever, twice at once, or is lost for a minute's lateness."""

import re
from collections.abc import Iterator

from tests.deploy.documents import Document, Rendered, label

_HASH = re.compile(r"-[0-9a-f]{8,}$")


def cron_jobs_are_bounded(rendered: Rendered) -> Iterator[str]:
    """The controller looks every 10 s, and gives up on a schedule with a hundred missed starts."""
    for cron in rendered.of("CronJob"):
        spec = cron["spec"]
        if spec.get("timeZone") != "Etc/UTC" or spec.get("concurrencyPolicy") != "Forbid":
            yield f"{label(cron)}: {spec.get('timeZone')}, {spec.get('concurrencyPolicy')}"
        if spec.get("startingDeadlineSeconds", 0) < 10:
            yield f"{label(cron)}: a start that is late is never made good"
        if not {"successfulJobsHistoryLimit", "failedJobsHistoryLimit"} <= set(spec):
            yield f"{label(cron)}: does not say how many Jobs are kept"
        yield from _bounded(label(cron), spec["jobTemplate"]["spec"])


def jobs_are_bounded(rendered: Rendered) -> Iterator[str]:
    for job in rendered.of("Job"):
        yield from _bounded(label(job), job["spec"])


def _bounded(name: str, spec: Document) -> Iterator[str]:
    for key in ("backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
        if key not in spec:
            yield f"{name}: has no {key}"
    if spec["template"]["spec"].get("restartPolicy") != "Never" or spec.get("podReplacementPolicy") != "Failed":
        yield f"{name}: podFailurePolicy needs restartPolicy Never and podReplacementPolicy Failed"
    rules = (spec.get("podFailurePolicy") or {}).get("rules") or []
    disruption = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    if disruption not in rules:
        yield f"{name}: an eviction counts as its failure"
    containers = {container["name"] for container in spec["template"]["spec"]["containers"]}
    fatal = [rule["onExitCodes"] for rule in rules if rule["action"] == "FailJob"]
    if not fatal or any(codes.get("containerName") not in containers or 2 not in codes["values"] for codes in fatal):
        yield f"{name}: wrong settings (exit code 2) are tried again"


def only_the_sweep_runs_by_itself(rendered: Rendered) -> Iterator[str]:
    """The backfill's CronJob is there to be copied from."""
    for cron in rendered.of("CronJob"):
        suspended = (
            True
            if cron["metadata"]["labels"]["app.kubernetes.io/component"] == "backfill"
            else rendered.values["sweep"]["suspend"]
        )
        if cron["spec"].get("suspend") is not suspended:
            yield f"{label(cron)}: suspend is {cron['spec'].get('suspend')}"


def jobs_are_named_after_what_they_do(rendered: Rendered) -> Iterator[str]:
    """A Job cannot be changed: one that stays needs a name that changes with it; a hook is deleted first."""
    for job in rendered.of("Job"):
        hook = "helm.sh/hook" in (job["metadata"].get("annotations") or {})
        if not hook and not _HASH.search(job["metadata"]["name"]):
            yield f"{label(job)}: an upgrade could not change it"
