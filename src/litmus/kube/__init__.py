"""The one door to a cluster. What crosses it are typed objects and the errors of ``litmus.kube.errors``."""

from .cluster import Cluster

__all__ = ["Cluster"]
