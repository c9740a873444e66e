"""`leadline doctor`: is everything well that an installation stands on, and if not, what to do."""
