"""Metrics, rules, dashboards: proven against a real Prometheus."""
