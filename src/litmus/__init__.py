"""Litmus: chaos engineering for Kubernetes, compatible with the manifests of LitmusChaos 1.10."""

__version__ = "0.1.0"
