"""Gauges that are read from the database in the background, the same on every replica: of replicas, take the greatest.

A reading is shown for as long as it tells the present; then its gauges are absent, all but the time it was taken.
"""
