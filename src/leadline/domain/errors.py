"""The root of every error that Leadline raises on purpose. HTTP knows nothing of them and they nothing of HTTP."""


class LeadlineError(Exception):
    """Something went wrong that Leadline understands.

    Each subclass has a stable `code`; `str(error)` is one sentence that says what happened and what to do next.
    """

    code: str = "leadline_error"


class InvalidPhoneNumber(LeadlineError):
    """The text is no telephone number."""

    code = "invalid_phone_number"


class RefusedPhoneNumber(LeadlineError):
    """A real number that Leadline does not call: another country, premium, toll-free."""

    code = "refused_phone_number"


class InvalidRule(LeadlineError):
    """A rule's text (calling hours, cadence, a date) cannot be understood."""

    code = "invalid_rule"


class IllegalTransition(LeadlineError):
    """A verb was asked for that the present status does not know."""

    code = "illegal_transition"
