"""What tests stand on: a PostgreSQL, processes to start and kill, ports. No rules of the product, no fakes."""
