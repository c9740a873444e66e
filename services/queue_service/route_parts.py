"""What the route tables of the queue-service have in common."""

from typing import Final

from leadline.contracts.openapi import Parameter

AUTH: Final = ("bearer",)
NOT_TAKEN: Final = {
    400: "The request does not fit",
    401: "No or a wrong token",
    403: "The token is not for this route",
    503: "The database is away",
}
MISSING: Final = {**NOT_TAKEN, 404: "No such thing"}
CHANGE: Final = {**MISSING, 409: "Not in its present state", 422: "The operation id was used for another request"}
UUID: Final = {"type": "string", "format": "uuid"}
ID: Final = Parameter("id", "path", "Our id", required=True, schema=UUID)
