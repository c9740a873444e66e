"""The HTTP edge of a service on aiohttp: problem documents, bearer tokens, bodies, figures by route, start and stop."""
