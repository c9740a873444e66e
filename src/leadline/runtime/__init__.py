"""What any service anywhere would need unchanged: settings, logging, HTTP edge, metrics, shutdown, pool, retries, ids.

Nothing here knows a lead or a call; third-party libraries are the only imports.
"""
