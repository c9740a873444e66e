"""The dashboards: how they look, what they ask for, and what their most important answer says."""
