"""`leadline export-queue`: every lead into one file that is whole or not there."""
