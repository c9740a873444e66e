"""Why a backfill ends before its end. Each is one line for people; `__main__` gives it an exit code."""

from leadline.domain.errors import LeadlineError


class WrongOption(LeadlineError):
    """An option of the command line cannot be meant."""

    code = "wrong_option"


class RunBusy(LeadlineError):
    """Another process holds the run, and we were told not to wait."""

    code = "run_busy"


class RunLost(LeadlineError):
    """Another process has taken the run while we worked: we may have been away too long."""

    code = "run_lost"


class ToldToStop(LeadlineError):
    """The process was told to end. What was recorded stays; the next start goes on."""

    code = "told_to_stop"


class CrmTokenRefused(LeadlineError):
    """The CRM refuses our token: nobody may be decided on its silence."""

    code = "crm_token_refused"
