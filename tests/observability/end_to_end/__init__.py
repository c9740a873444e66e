"""Whole systems with a real Prometheus beside them."""
