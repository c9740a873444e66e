"""Handlers of import and export: parse, call, respond."""
