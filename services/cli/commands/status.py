"""`leadline status`: one screen."""

from services.cli.options import AsJson, examples
from services.cli.printing import console, print_json
from services.cli.status_view import status_parts
from services.cli.talking import talk

EPILOG = examples("leadline status", "leadline status --json")


def status(*, as_json: AsJson = False) -> None:
    """Show what is due, in flight, open, paused and wrong. Red lines say what to do.

    JSON: the queue-service's GET /v1/stats.
    """
    stats = talk(lambda client: client.stats())
    if as_json:
        print_json(stats)
        return
    out = console()
    for part in status_parts(stats):
        out.print(part)
