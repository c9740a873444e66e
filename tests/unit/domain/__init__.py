"""The rules, tested without a computer: instants in, decisions out."""
