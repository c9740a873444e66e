"""RFC 9457 problem documents: the only shape in which a service says no."""

from pydantic import BaseModel, ConfigDict

PROBLEM_MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """One refusal. `code` is stable and meant for programs, `detail` for people and says what to do next."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[str] = []
    """One line for each field that is wrong."""
