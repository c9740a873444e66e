"""Traces and logs of real processes, with a collector that the test reads."""
