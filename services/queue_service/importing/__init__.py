"""Leads and numbers in bulk: import and export."""
