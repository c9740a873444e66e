"""Ports for servers under test."""

from services.cli.free_port import free_port

__all__ = ["free_port"]
