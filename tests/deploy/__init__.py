"""What the Helm chart renders, judged without a cluster. `make chart` installs what these tests need and runs them."""
