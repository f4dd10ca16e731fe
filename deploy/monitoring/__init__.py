"""Prometheus rules and Grafana dashboards of Earshot, as data. `python -m deploy.monitoring` writes them for Kubernetes."""
