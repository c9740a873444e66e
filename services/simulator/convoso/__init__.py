"""Convoso, simulated as its documents and its users describe it."""
