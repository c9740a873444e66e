"""`leadline import-queue`: files are staged whole, merged by number, and posted only then."""
