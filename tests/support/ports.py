"""Ports for servers under test."""

from services.cli.server_process import free_port

__all__ = ["free_port"]
