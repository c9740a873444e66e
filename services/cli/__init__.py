"""cli: the `leadline` command and `up`; the only place that may import several services."""
