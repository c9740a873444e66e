"""`leadline doctor`: everything that an installation stands on, examined from here."""

from services.cli.doctor.command import run
from services.cli.options import AsJson, examples

EPILOG = examples("leadline doctor", "kubectl exec deploy/leadline-dialer -- leadline doctor --json")


def doctor(*, as_json: AsJson = False) -> None:
    """Examine queue-service, database, schema, clocks, dialling, provider, CRM, webhooks and secrets.

    What is wrong says what to do. What cannot be seen from here says from where. Exit code 1 if something is wrong.

    JSON: well, findings (what, verdict, says, then).
    """
    run(as_json=as_json)
