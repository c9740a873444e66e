"""Tests of the gauges that are read from the database."""
