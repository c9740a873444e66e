"""Recording rules and alerts, proven by promtool: each alert fires, stays quiet, and knows its edge."""
