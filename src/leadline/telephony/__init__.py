"""Where a provider is named: how to ask Bland for a call, and what its answers and events mean."""
