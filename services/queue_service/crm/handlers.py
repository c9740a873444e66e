"""Handlers of the CRM: parse, call, respond."""
