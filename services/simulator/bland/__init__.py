"""Bland AI as documented and observed: its HTTP interface, its refusals, its webhooks."""
