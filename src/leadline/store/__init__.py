"""The only place that speaks SQL. Functions take a connection, never commit, and decide nothing."""
