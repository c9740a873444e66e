"""The CRM that human agents work in: one port, and Convoso behind it."""
