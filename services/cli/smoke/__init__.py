"""`leadline smoke`: a test of a running installation, which `helm test` runs."""
