"""The Helm chart, whose templates are written from the Kustomize sources. `python -m deploy.helm` writes them."""
