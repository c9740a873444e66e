"""What Leadline's processes share: domain, store, telephony, contracts, clients, runtime."""
