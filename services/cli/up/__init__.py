"""`leadline up`: all of Leadline on this machine. Starts the processes as the chart would, shows them, stops them."""
