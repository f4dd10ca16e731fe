"""Tests of the manifests on a real cluster: `make test-cluster KUBECONFIG=… IMAGES=…`. `make test` leaves them out."""
