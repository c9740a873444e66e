"""The files of the system before this one: what their rows mean, and how a lead is written as one. No I/O here."""
