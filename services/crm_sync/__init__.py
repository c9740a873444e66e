"""Tells the CRM what became of calls, and asks it again about leads that wait for its word."""
