"""One folder per process: what you see in `kubectl get deploy,cronjob,job`."""
