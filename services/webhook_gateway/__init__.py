"""The gateway: takes leads and provider events, authenticates, hands on, answers. It decides nothing."""
