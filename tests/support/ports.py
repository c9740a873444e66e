"""Ports for servers under test."""

from services.cli.embedded_postgres import free_port

__all__ = ["free_port"]
