"""Which zero values vanish on the way through the API server.

A Go field that is no pointer and says omitempty is not written when it is '', false, 0 or empty: ``hostNetwork: false``
is gone after a write, ``replicas: 0`` (a pointer) stays. Source: the tags and types of k8s.io/api, for the kinds in
``machinery.resources``; a field that is not listed keeps what was sent.
"""

from . import facts


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Strings: all that are optional but these, which are pointers in Go.
_POINTER_STRINGS = _words("""
$ref apiGroup appProtocol cachingMode currentVolumeAttributesClassName deprecationWarning endpointsNamespace
failurePolicy fsGroupChangePolicy fsGroupPolicy gmsaCredentialSpec gmsaCredentialSpecName hostnameOverride
ingressClassName initiatorName internalTrafficPolicy ipFamilyPolicy ipMode labelSelectorPath loadBalancerClass
localhostProfile managedBy matchPolicy mountPropagation nodeAffinityPolicy nodeTaintsPolicy pathType
persistentVolumeName podReplacementPolicy completionMode preemptionPolicy preferredHolder procMount
propagationPolicy reclaimPolicy recursiveReadOnly reinvocationPolicy resourceClaimName resourceClaimTemplateName
runAsUserName runtimeClassName scope seLinuxChangePolicy secretNamespace selectPolicy sideEffects stopSignal
storageClassName strategy succeededIndexes supplementalGroupsPolicy timeZone trafficDistribution
unhealthyPodEvictionPolicy url volumeAttributesClassName volumeBindingMode volumeMode x-kubernetes-list-type
x-kubernetes-map-type zone
""")
_POINTER_STRINGS_OF = frozenset(
    facts.pairs("""
admissionregistration.v1.ServiceReference path
apiextensions.v1.ServiceReference path
coordination.v1.LeaseSpec holderIdentity
core.v1.AzureDiskVolumeSource fsType
core.v1.CSIVolumeSource fsType
core.v1.Container restartPolicy
core.v1.EndpointAddress nodeName
core.v1.EphemeralContainer restartPolicy
core.v1.GRPCAction service
core.v1.HostPathVolumeSource type
core.v1.LocalVolumeSource fsType
core.v1.PodDNSConfigOption value
core.v1.PortStatus error
core.v1.TypedObjectReference namespace
discovery.v1.Endpoint hostname nodeName
discovery.v1.EndpointPort name protocol
meta.v1.Preconditions resourceVersion uid
networking.v1.IngressClassParametersReference namespace
networking.v1.IngressPortStatus error
networking.v1.NetworkPolicyPort protocol
""")
)
# Strings that are optional for clients and yet always written.
_WRITTEN_STRINGS = frozenset(
    facts.pairs("""
apps.v1.StatefulSetSpec serviceName
core.v1.Event reportingComponent reportingInstance
rbac.v1.RoleRef apiGroup
""")
)
# Booleans and integers: none that are optional but these.
_PLAIN_BOOLEANS = _words("""
authenticated chapAuthDiscovery chapAuthSession denied deprecated exclusiveMaximum exclusiveMinimum globalDefault
hostIPC hostNetwork hostPID insecureSkipTLSVerify nullable paused preserveUnknownFields publishNotReadyAddresses
readOnly sslEnabled stdin stdinOnce tty uniqueItems unschedulable x-kubernetes-embedded-resource
x-kubernetes-int-or-string
""")
_POINTER_BOOLEANS_OF = frozenset(
    {("core.v1.AzureDiskVolumeSource", "readOnly"), ("core.v1.CSIVolumeSource", "readOnly")}
)
_PLAIN_INTEGERS = _words("""
active availableReplicas code currentReplicas deprecatedCount failed failureThreshold fullyLabeledReplicas
generation healthCheckNodePort hostPort initialDelaySeconds minReadySeconds nodePort numberAvailable
numberUnavailable observedGeneration periodSeconds readyReplicas retryAfterSeconds signal sizeBytes succeeded
successThreshold timeoutSeconds unavailableReplicas updatedNumberScheduled updatedReplicas
""")
_PLAIN_INTEGERS_OF = frozenset(
    facts.pairs("""
apiextensions.v1.CustomResourceColumnDefinition priority
apps.v1.DeploymentStatus replicas
autoscaling.v1.ScaleSpec replicas
core.v1.AWSElasticBlockStoreVolumeSource partition
core.v1.Event count
core.v1.EventSeries count
core.v1.GCEPersistentDiskVolumeSource partition
networking.v1.ServiceBackendPort number
""")
)
_POINTER_INTEGERS_OF = frozenset(
    facts.pairs("""
admissionregistration.v1.MutatingWebhook timeoutSeconds
admissionregistration.v1.ValidatingWebhook timeoutSeconds
autoscaling.v2.HorizontalPodAutoscalerStatus observedGeneration currentReplicas
core.v1.ClientIPConfig timeoutSeconds
""")
)
# Lists that are optional for clients and yet always written.
_WRITTEN_LISTS = frozenset(
    facts.pairs("""
authentication.v1.TokenRequestSpec audiences
autoscaling.v2.HorizontalPodAutoscalerStatus conditions currentMetrics
core.v1.ProjectedVolumeSource sources
discovery.v1.EndpointSlice ports
rbac.v1.ClusterRole rules
rbac.v1.Role rules
apiextensions.v1.CustomResourceDefinitionStatus conditions storedVersions
""")
)


def vanish(definition: str, field: str, kind: str) -> bool:
    """Whether '', false, 0 or an empty list in an optional field is as good as no field. ``kind``: the type."""
    at = (definition, field)
    if kind in ("string", "bytes"):
        return field not in _POINTER_STRINGS and at not in _POINTER_STRINGS_OF | _WRITTEN_STRINGS
    if kind == "boolean":
        return field in _PLAIN_BOOLEANS and at not in _POINTER_BOOLEANS_OF
    if kind in ("int32", "int64"):
        return (field in _PLAIN_INTEGERS and at not in _POINTER_INTEGERS_OF) or at in _PLAIN_INTEGERS_OF
    return kind in ("array", "map") and at not in _WRITTEN_LISTS
