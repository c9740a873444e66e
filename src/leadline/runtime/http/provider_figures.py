"""What providers answer, by class: what an operator must know to tell a refused key from a full line."""

from enum import StrEnum
from typing import Final

from prometheus_client import Counter

from leadline.runtime.http.client_figures import Exchange, Failure, Peer


class AnswerClass(StrEnum):
    """What one answer of a provider comes to, by its words before its status."""

    OK = "ok"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    PAYMENT_REQUIRED = "payment_required"
    FORBIDDEN = "forbidden"
    DNC = "dnc"
    """The number is on a list of who must not be called."""
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    UNREADABLE = "unreadable"


ANSWERS: Final = Counter(
    "leadline_provider_answers",
    "Answers of providers by what they come to: ok, bad_request, unauthorized, payment_required, forbidden, dnc, "
    "not_found, rate_limited, server_error, timeout, connection, unreadable.",
    ("provider", "operation", "class"),
)
_BY_STATUS: Final = {
    401: AnswerClass.UNAUTHORIZED,
    402: AnswerClass.PAYMENT_REQUIRED,
    403: AnswerClass.FORBIDDEN,
    404: AnswerClass.NOT_FOUND,
    408: AnswerClass.TIMEOUT,
    429: AnswerClass.RATE_LIMITED,
}
_BY_FAILURE: Final = {
    Failure.TIMEOUT: AnswerClass.TIMEOUT,
    Failure.CONNECTION: AnswerClass.CONNECTION,
    Failure.UNREADABLE: AnswerClass.UNREADABLE,
}


def class_of_status(status: int) -> AnswerClass:
    """What a status says where no words say more. A redirect is followed by none of our clients."""
    if 200 <= status < 300:
        return AnswerClass.OK
    if status >= 500:
        return AnswerClass.SERVER_ERROR
    return _BY_STATUS.get(status, AnswerClass.BAD_REQUEST if status >= 400 else AnswerClass.UNREADABLE)


def begin_at_zero(provider: Peer, operation: str) -> None:
    """Show every class of answers to the operation, so that the first of each is seen as an increase."""
    for answer in AnswerClass:
        ANSWERS.labels(provider, operation, answer)


class ProviderExchange(Exchange):
    """An exchange with a provider: its answer is counted by class too."""

    _answer: AnswerClass | None = None

    def answered_as(self, status: int, answer: AnswerClass) -> None:
        """The answer is here, and its words say what it is."""
        self.answered(status)
        self._answer = answer

    def _count(self, status: int | None, failure: Failure | None) -> None:
        super()._count(status, failure)
        said = _BY_FAILURE.get(failure) if failure else self._answer or class_of_status(status or 0)
        if said is not None:  # nobody answers what is not waited for
            ANSWERS.labels(self._peer, self._operation, said).inc()
