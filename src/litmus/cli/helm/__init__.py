"""The Helm chart, written from the manifests of ``litmus install``, so that the two can't say different things."""
