"""Bland's answers word for word: both error envelopes, and every refusal of `POST /v1/calls` that is documented."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.simulator.answer import Answer

RETRY_AFTER: Final = "Retry-After"
INVALID_PARAMETERS: Final = "Invalid parameters"


def refused(status: int, message: str, *, word: str = "error", errors: list[str] | None = None) -> Answer:
    """The older envelope: `{status, message, errors?}`."""
    body: dict[str, Any] = {"status": word, "message": message}
    if errors:
        body["errors"] = errors
    return Answer(status, body, refusal=message if word == "error" else word)


def refused_with_code(status: int, code: str, message: str) -> Answer:
    """The newer envelope: `{data: null, errors: [{error, message}]}`."""
    return Answer(status, {"data": None, "errors": [{"error": code, "message": message}]}, refusal=code)


def invalid(*errors: str) -> Answer:
    """400 for a request that does not fit the interface."""
    return refused(400, INVALID_PARAMETERS, errors=list(errors))


def unauthorized() -> Answer:
    """401: no key, or a wrong one."""
    return refused_with_code(401, "AUTH_FAILURE", "Unauthorized")


def dnc_error() -> Answer:
    """400: the number is on the provider's do-not-call list."""
    message = "Number found in DNC list, call not sent. More attempts will result in being blocked."
    return refused(400, message, word="DNC Error")


def invalid_number(text: str) -> Answer:
    """400: no telephone number."""
    return refused(400, f"Invalid phone number {text}. Please use the E.164 format.")


def unable_to_queue() -> Answer:
    """400: says nothing of whether there will be a call."""
    return refused(400, "Unable to queue call")


def no_billing_record() -> Answer:
    """402: the account cannot pay."""
    return refused(402, "No billing record found.")


def insufficient_balance() -> Answer:
    """402: the account is empty."""
    return refused(402, "Insufficient balance.")


def account_flagged() -> Answer:
    """403: the account may not call."""
    return refused(403, "Your account has been flagged. Please contact support.")


def pathway_not_found() -> Answer:
    """404."""
    return refused(404, "Pathway not found.")


def objective_refused() -> Answer:
    """418: the prompt was rejected."""
    return refused_with_code(418, "OBJECTIVE_VALIDATION_ERROR", "The objective of this call violates the terms of use.")


def ten_seconds(seconds: float) -> Answer:
    """429: there was another call to this number a moment ago."""
    return refused(
        429,
        f"Calls can only be sent every {seconds:g} seconds to the same number. Please wait before you call it again.",
    )


def rate_limited() -> Answer:
    """429: too many requests."""
    return refused(429, "Rate limit exceeded")


def blacklisted() -> Answer:
    """429, and permanent all the same."""
    return refused(429, "This number is blacklisted.")


def new_account_limited() -> Answer:
    """429: the account is too young for that many calls."""
    return refused(429, "Newly created accounts are limited in the number of calls. Please try again later.")


def plan_concurrency() -> Answer:
    """429: as many calls at once as the plan allows."""
    return refused_with_code(429, "CALL_RL_PLAN_CONCURRENCY", "Concurrent call limit of your plan reached.")


def plan_hourly() -> Answer:
    """429: as many calls in an hour as the plan allows."""
    return refused_with_code(429, "CALL_RL_PLAN_HOURLY", "Rate limit exceeded: hourly call limit of your plan reached.")


def plan_daily() -> Answer:
    """429: as many calls in a day as the plan allows."""
    return refused_with_code(429, "CALL_RL_PLAN_DAILY", "Rate limit exceeded: daily call limit of your plan reached.")


def plan_daily_minutes() -> Answer:
    """429: as many minutes in a day as the plan allows."""
    return refused_with_code(429, "CALL_RL_PLAN_DAILY_MINUTES", "Daily minute limit of your plan reached.")


def destination_blocked() -> Answer:
    """429, and permanent all the same: the plan does not call there."""
    return refused_with_code(429, "CALL_PLAN_DESTINATION_BLOCKED", "Your plan does not include this destination.")


def unpaid_international() -> Answer:
    """429, and permanent all the same: an unpaid account calls abroad."""
    return refused_with_code(429, "CALL_UNPAID_INTL_BLOCK", "International calls require a paid plan.")


def server_error() -> Answer:
    """500 that made no call; the words do not tell it from one that did."""
    return refused(500, "Internal server error")


def sid_not_found() -> Answer:
    """Stop: no live call has this id."""
    return refused(400, "SID not found for the given c_id.")


def call_not_found() -> Answer:
    """Details: no call has this id."""
    return refused(404, "Call not found.")


NAMED_REFUSALS: Final[Mapping[str, Callable[[], Answer]]] = {
    "error_400_invalid_parameters": lambda: invalid("task: must be a string"),
    "error_400_dnc": dnc_error,
    "error_400_invalid_number": lambda: invalid_number("+10000000000"),
    "error_400_unable_to_queue": unable_to_queue,
    "error_401": unauthorized,
    "error_402": no_billing_record,
    "error_402_balance": insufficient_balance,
    "error_403": account_flagged,
    "error_404": pathway_not_found,
    "error_418": objective_refused,
    "error_429_ten_seconds": lambda: ten_seconds(10),
    "error_429_rate": rate_limited,
    "error_429_blacklisted": blacklisted,
    "error_429_new_account": new_account_limited,
    "error_429_concurrency": plan_concurrency,
    "error_429_hourly": plan_hourly,
    "error_429_daily": plan_daily,
    "error_429_daily_minutes": plan_daily_minutes,
    "error_429_destination_blocked": destination_blocked,
    "error_429_unpaid_international": unpaid_international,
    "error_500_not_created": server_error,
}
"""Refusals that a fault can ask for by name."""
