"""The dialer: lease, send mark, one POST, report. It has no database and decides nothing about leads."""
