"""What the Python types of lightkube leave out: the values of maps, the widths of integers, bytes.

Definitions are named without their long prefix (``apps.v1.DeploymentSpec``). Facts from the OpenAPI document of
Kubernetes 1.37, for the kinds in ``machinery.resources``.
"""

from collections.abc import Iterator


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """(definition, field) of a table: one definition a line, its fields behind it."""
    for line in text.split("\n"):
        words = line.split()
        for field in words[1:]:
            yield words[0], field


QUANTITY_MAPS = frozenset(
    pairs("""
core.v1.ContainerStatus allocatedResources
core.v1.LimitRangeItem default defaultRequest max maxLimitRequestRatio min
core.v1.NodeStatus allocatable capacity
core.v1.PersistentVolumeClaimStatus allocatedResources capacity
core.v1.PersistentVolumeSpec capacity
core.v1.PodSpec overhead
core.v1.PodStatus allocatedResources
core.v1.ResourceQuotaSpec hard
core.v1.ResourceQuotaStatus hard used
core.v1.ResourceRequirements limits requests
core.v1.VolumeResourceRequirements limits requests
""")
)
BYTES = frozenset(
    pairs("""
admissionregistration.v1.WebhookClientConfig caBundle
apiextensions.v1.WebhookClientConfig caBundle
apiregistration.v1.APIServiceSpec caBundle
core.v1.ConfigMap binaryData
core.v1.Secret data
""")
)
"""Fields, and maps, of base64 text."""
STRING_LIST_MAPS = frozenset(
    pairs("""
authentication.v1.TokenRequestSpec attestations
authentication.v1.UserInfo extra
authorization.v1.SubjectAccessReviewSpec extra
""")
)
TIME_MAPS = frozenset({("policy.v1.PodDisruptionBudgetStatus", "disruptedPods")})
SCHEMA_MAPS = frozenset(pairs("apiextensions.v1.JSONSchemaProps definitions patternProperties properties"))
"""Maps of JSONSchemaProps."""
JSON_MAPS = frozenset(pairs("apiextensions.v1.JSONSchemaProps dependencies"))

INT64 = frozenset(
    pairs("""
apps.v1.ControllerRevision revision
authentication.v1.TokenRequestSpec expirationSeconds
batch.v1.CronJobSpec startingDeadlineSeconds
batch.v1.JobSpec activeDeadlineSeconds
core.v1.ClusterTrustBundleProjection user
core.v1.ConfigMapVolumeSource defaultUser
core.v1.ContainerImage sizeBytes
core.v1.DownwardAPIVolumeFile user
core.v1.DownwardAPIVolumeSource defaultUser
core.v1.KeyToPath user
core.v1.LinuxContainerUser gid uid supplementalGroups
core.v1.NodeSwapStatus capacity
core.v1.PodCertificateProjection user
core.v1.PodSecurityContext fsGroup runAsGroup runAsUser supplementalGroups
core.v1.PodSpec activeDeadlineSeconds terminationGracePeriodSeconds
core.v1.Probe terminationGracePeriodSeconds
core.v1.ProjectedVolumeSource defaultUser
core.v1.SecretVolumeSource defaultUser
core.v1.SecurityContext runAsGroup runAsUser
core.v1.ServiceAccountTokenProjection expirationSeconds user
core.v1.SleepAction seconds
core.v1.Toleration tolerationSeconds
meta.v1.DeleteOptions gracePeriodSeconds
meta.v1.ListMeta remainingItemCount
meta.v1.ObjectMeta deletionGracePeriodSeconds generation
storage.v1.CSIDriverSpec nodeAllocatableUpdatePeriodSeconds
storage.v1.TokenRequest expirationSeconds
apiextensions.v1.JSONSchemaProps maxItems maxLength maxProperties minItems minLength minProperties
""")
)
"""Besides every ``observedGeneration``."""


def is_int64(definition: str, field: str) -> bool:
    """Whether an integer has 64 bits rather than 32."""
    return field == "observedGeneration" or (definition, field) in INT64
