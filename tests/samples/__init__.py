"""Bodies shaped like the real thing, all people and numbers invented, and what each of them must come to."""
