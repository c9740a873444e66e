"""The four Grafana dashboards: written in Python, committed as the JSON that the chart installs."""
