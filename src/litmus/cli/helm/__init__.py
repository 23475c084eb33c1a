"""The Helm chart, written from the manifests of ``litmus install``, so that the two can't say different things."""

from .chart import FOLDER, files

__all__ = ["FOLDER", "files"]
