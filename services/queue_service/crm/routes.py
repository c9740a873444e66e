"""The routes of the CRM."""

from typing import Final

from leadline.contracts.openapi import Route

CRM_ROUTES: Final[tuple[Route, ...]] = ()
