"""The rules of Leadline, true on paper: no I/O, no clock, no asyncio, no randomness."""
