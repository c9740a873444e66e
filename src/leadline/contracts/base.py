"""The base of every message: strict about names, frozen, instants aware."""

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A body on a wire. Unknown keys are refused, so that a misspelt field is an error and not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
