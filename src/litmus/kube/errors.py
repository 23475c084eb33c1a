"""What can go wrong between us and a cluster, one tree.

    KubeError
    ├── ConfigError      no usable kubeconfig
    ├── Unreachable      nobody answers, or the server is failing
    ├── NotFound         404
    ├── Conflict         409: somebody else wrote, or the name is taken
    ├── Forbidden        401 or 403
    ├── Expired          410: a list or watch that began too long ago
    ├── OverBudget       429 to an eviction: a PodDisruptionBudget allows no disruption now
    ├── Invalid          400 or 422, or an answer that can't be understood
    └── TimedOut         a condition did not become true before its deadline

Each carries one sentence that says what to do. Nothing of the client library crosses this seam.
"""


class KubeError(Exception):
    """Any failure at the door to the cluster."""


class ConfigError(KubeError):
    pass


class Unreachable(KubeError):
    pass


class NotFound(KubeError):
    pass


class Conflict(KubeError):
    pass


class Forbidden(KubeError):
    pass


class Expired(KubeError):
    pass


class OverBudget(KubeError):
    pass


class Invalid(KubeError):
    pass


class TimedOut(KubeError):
    pass
