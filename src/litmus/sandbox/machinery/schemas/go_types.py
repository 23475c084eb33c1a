"""The named Go types of strings and lists, as decoding errors show them; the rest are plain strings.

Source: k8s.io/api; those that a user is likely to write.
"""

_BY_FIELD = {
    "accessModes": "[]v1.PersistentVolumeAccessMode",
    "concurrencyPolicy": "v1.ConcurrencyPolicy",
    "dnsPolicy": "v1.DNSPolicy",
    "effect": "v1.TaintEffect",
    "externalTrafficPolicy": "v1.ServiceExternalTrafficPolicy",
    "imagePullPolicy": "v1.PullPolicy",
    "medium": "v1.StorageMedium",
    "persistentVolumeReclaimPolicy": "v1.PersistentVolumeReclaimPolicy",
    "podManagementPolicy": "v1.PodManagementPolicyType",
    "policyTypes": "[]v1.PolicyType",
    "protocol": "v1.Protocol",
    "restartPolicy": "v1.RestartPolicy",
    "scheme": "v1.URIScheme",
    "sessionAffinity": "v1.ServiceAffinity",
    "terminationMessagePolicy": "v1.TerminationMessagePolicy",
    "uid": "types.UID",
    "volumeMode": "v1.PersistentVolumeMode",
    "whenUnsatisfiable": "v1.UnsatisfiableConstraintAction",
}
_BY_PLACE = {
    ("apps.v1.DeploymentStrategy", "type"): "v1.DeploymentStrategyType",
    ("core.v1.Secret", "type"): "v1.SecretType",
    ("core.v1.ServiceSpec", "type"): "v1.ServiceType",
    ("core.v1.Toleration", "operator"): "v1.TolerationOperator",
    ("core.v1.NodeSelectorRequirement", "operator"): "v1.NodeSelectorOperator",
    ("meta.v1.LabelSelectorRequirement", "operator"): "v1.LabelSelectorOperator",
}


def named(definition: str, field: str) -> str:
    """The Go type of a field, '' for one without a name of its own. ``definition``: its short name."""
    return _BY_PLACE.get((definition, field)) or _BY_FIELD.get(field, "")
