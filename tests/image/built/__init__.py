"""Tests of the image that LEADLINE_TEST_IMAGE names."""
