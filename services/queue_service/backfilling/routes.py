"""The routes of backfills."""

from typing import Final

from leadline.contracts.openapi import Route

BACKFILL_ROUTES: Final[tuple[Route, ...]] = ()
