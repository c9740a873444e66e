"""The routes of import and export."""

from typing import Final

from leadline.contracts.openapi import Route

IMPORT_ROUTES: Final[tuple[Route, ...]] = ()
