"""The routes of import and export."""

from typing import Final

from leadline.contracts.imports import (
    MAX_IMPORT_GROUP,
    ExportPage,
    ImportAnswer,
    ImportRequest,
    NumbersAnswer,
    NumbersRequest,
)
from leadline.contracts.openapi import Parameter, Route
from services.queue_service.route_parts import AUTH, NOT_TAKEN, UUID

_AFTER: Final = Parameter("after", "query", "The last id of the page before", schema=UUID)
_LIMIT: Final = Parameter(
    "limit", "query", "Longest page", schema={"type": "integer", "minimum": 1, "maximum": MAX_IMPORT_GROUP}
)

IMPORT_ROUTES: Final = (
    Route("POST", "/v1/imports/leads", "import_leads", "Take leads with their past; a repetition changes nothing",
          ImportAnswer, ImportRequest, problems=NOT_TAKEN, auth=AUTH),
    Route("POST", "/v1/imports/numbers", "import_numbers", "Take numbers that must not be called",
          NumbersAnswer, NumbersRequest, problems=NOT_TAKEN, auth=AUTH),
    Route("GET", "/v1/exports/leads", "export_leads", "Leads as an import takes them, by id", ExportPage,
          problems=NOT_TAKEN, auth=AUTH, parameters=(_AFTER, _LIMIT)),
)  # fmt: skip  # a table is read in columns
