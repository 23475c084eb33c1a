"""The differences that have a reason; docs/sandbox.md lists the same reasons for users.

Patterns are as narrow as they can be: they name the path of the field, and the values or the steps where that matters.
"""

import re
from dataclasses import dataclass

_GO = r"(map\[string\]string|\[\]string|v1\.|rbac\.|policy\.|intstr\.|resource\.|authorization\.|\[\]v1\.|0x0)"

# group → reason → patterns
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "Fields that newer servers set": {
        "A namespace has the label `kubernetes.io/metadata.name` (since Kubernetes 1.21).": (
            r'^(namespace|quota: namespace|range: the namespace)[^:]*: metadata\.labels: - \| \{"kubernetes\.io/metadata\.name": "[a-z-]+"\}$',
        ),
        "The ConfigMap `kube-root-ca.crt` has an annotation that describes it.": (
            r"^root certificate: metadata\.annotations: - \| \{\"kubernetes\.io/description\"",
        ),
        "Services have `internalTrafficPolicy`, `ipFamilies` and `ipFamilyPolicy`, and a dry run shows an address.": (
            r"^(updates: a service|services [^:]*): (items\[0\]\.)?spec\.(internalTrafficPolicy|ipFamilies|ipFamilyPolicy): - \|",
            r"^services create dry-run: spec\.clusterIPs?: - \|",
        ),
        "Jobs have a generation and the fields `completionMode`, `suspend`, `manualSelector` and `podReplacementPolicy`.": (
            r"^jobs [^:]*: (items\[0\]\.|rows\[0\]\.object\.)?metadata\.generation: - \| [12]$",
            r"^jobs [^:]*: (items\[0\]\.)?spec\.(completionMode|suspend|manualSelector|podReplacementPolicy): - \|",
        ),
        "Jobs label their pods with `batch.kubernetes.io/…` too and select them by these labels (since 1.27).": (
            r"^jobs [^:]*: (items\[0\]\.)?spec\.template\.metadata\.labels\.batch\.kubernetes\.io/(controller-uid|job-name): - \|",
            r"^jobs [^:]*: (items\[0\]\.)?spec\.selector\.matchLabels\.(batch\.kubernetes\.io/)?controller-uid: ",
        ),
        "Pods and PodTemplates have a generation.": (
            r"^(podtemplates|JSON patch|strategic patch|apply to lists|pod|talk|binding|eviction|quota|range)[^:]*(: [^:]*)?: (items\[0\]\.|rows\[0\]\.object\.)?metadata\.generation: - \| \d+$",
        ),
        "StatefulSets have `persistentVolumeClaimRetentionPolicy`, and `availableReplicas` in their status.": (
            r"^(scale of statefulsets: create|statefulsets [^:]*): (items\[0\]\.)?spec\.persistentVolumeClaimRetentionPolicy: - \|",
            r"^statefulsets [^:]*: status\.availableReplicas: - \| 0$",
        ),
        "DaemonSets have `maxSurge`.": (
            r"^daemonsets [^:]*: (items\[0\]\.)?spec\.updateStrategy\.rollingUpdate\.maxSurge: - \| 0$",
        ),
        "Deployments and ReplicaSets count `terminatingReplicas` in their status.": (
            r"^(deployment|replicasets)[^:]*: status\.terminatingReplicas: - \| 0$",
        ),
        "PodDisruptionBudgets have the condition `DisruptionAllowed`.": (
            r"^eviction: [^:]*budget[^:]*: status\.conditions: - \| .*DisruptionAllowed",
        ),
        "A TokenRequest names its account and the time; a TokenReview shows the id of the token.": (
            r"^token: (for somebody|by default): metadata\.(name|namespace|creationTimestamp): ",
            r"^token: review: status\.user\.extra: - \| .*credential-id",
        ),
        "Times that are not set are left out and not `null` (`creationTimestamp` of templates, times of conditions).": (
            r"(template\.metadata|^review: [^:]*: metadata|^token: review[^:]*: metadata)\.creationTimestamp: null \| -$",
            r"^pod: [^:]*: status\.conditions\[Ready\]\.lastTransitionTime: null \| -$",
        ),
    },
    "Other behaviour of newer servers": {
        "A ServiceAccount gets no token Secret of its own (since 1.24).": (
            r'[ .]secrets: \[\{"name": "(default-token-|a-)[^]]*\] \| -$',
        ),
        "A pod gets its token from a projected volume `kube-api-access-…` and not from a Secret.": (
            r"^pod: with a token: spec\.(containers\[main\]\.volumeMounts|volumes)\[(default-token|kube-api-access)-",
        ),
        "The deletion of a Service answers with the Service; many can be deleted in one request.": (
            r"^(services delete|updates: delete the service): ",
            r"^discovery: /api/v1: resources\[services\]\.verbs: ",
        ),
        "An update of a Service without an address keeps the address it has.": (
            r"^services update with an old version: ",
        ),
        "PodDisruptionBudget is served as `policy/v1` and CronJob as `batch/v1`; their beta versions are gone (1.25).": (
            r"^eviction: [^:]*: apiVersion: policy/v1beta1 \| policy/v1$",
            r"^eviction: of another kind: message: .*v1beta1.* \| .*policy/v1\"",
            r"^discovery: /apis/batch/v1: resources\[cronjobs(/status)?\]: - \|",
            r"^discovery: /api/v1: resources\[pods/eviction\]\.version: v1beta1 \| v1$",
        ),
        "`pods/ephemeralcontainers` is listed; the sandbox refuses to add any.": (
            r"^discovery: /api/v1: resources\[pods/ephemeralcontainers\]: - \|",
        ),
        "Discovery names the singular of each resource.": (
            r"^discovery: [^:]*: resources\[[^]]*\]\.singularName:  \| [a-z]+$",
        ),
        "Tables: the columns `Status` of jobs and `Restarts` of pods, the order of a quota's columns, and newer descriptions.": (
            r"\bcolumnDefinitions\[[^]]*\]\.description: ",
            r"columnDefinitions: order: Name, Age, Request, Limit \| Name, Request, Limit, Age$",
            r"^jobs table: columnDefinitions\[Status\]: - \|",
            r"^pod: (wide )?table: columnDefinitions\[Restarts\]\.type: integer \| string$",
            r"^pod: (wide )?table: rows\[0\]\.cells\[3\]: 0 \| 0$",
        ),
        "Server-side apply: who applies an empty map owns it, also when the map has keys of others.": (
            r"^apply[^:]*: [^:]*: metadata\.managedFields\[(one|five|seven)\]: - \| .*\{\}",
        ),
        "Server-side apply: new items of a list come where the applied list has them.": (
            r"^apply to lists: [^:]*: template\.spec\.containers: order: main, side, aside \| aside, main, side$",
        ),
        "Server-side apply: an item without its key is no longer accepted; refusals name the object.": (
            r"^apply to lists: no key: ",
            r"^apply to lists: [^:]*: message: failed to create typed patch object: .* \| failed to create typed patch object \(conformance/applied; v1, Kind=PodTemplate\): ",
        ),
        "Patches that are no JSON, or a list where an object is due, are 400 with the words of field validation.": (
            r"^updates: no object: ",
            r"^JSON patch: (no list|no JSON): message: .* \| error decoding patch: ",
        ),
    },
    "Other words for the same refusal": {
        "Values in refusals are shown as JSON and not as Go values.": (
            rf"(message|causes): .*Invalid value: {_GO}.* \| .*Invalid value: ([\[{{\"]|\d)",
            r"^updates: patch of a deletion: .*2020-01-01 00:00:00 \+0000 UTC.* \| .*\"<time>\"",
            r"^apply to lists: another kind: message: .*\{0x",
        ),
        "A value of a wrong type is refused in the words of newer JSON decoders.": (
            r"^(refused: (a string for a number|a number for a string|a quantity|base64)|preconditions: a wrong type): message: ",
            r"^(scale of [a-z]+|JSON patch): a wrong type: (message|details\.causes\[0\]\.message): ",
            r"^quota: no amount: (message|details\.causes\[0\]\.message): ",
            r"^strategic patch: a wrong type( in a field)?: (message|details\.causes\[0\]\.message): .*cannot restore",
        ),
        "Newer words for values that are too long or too many, or of a wrong type, in custom resources and options.": (
            r"^custom refused: (too long|too many): (message|details\.causes\[0\]\.(message|reason)): ",
            r"^refused: a name that is too long: (message|details\.causes\[0\]\.message): ",
            r"^custom refused: (a type|int or string): details\.causes\[0\]\.reason: FieldValueInvalid \| FieldValueTypeInvalid$",
            r"^apply to lists: a long name: (message|details\.causes\[0\]\.message): .*at most 128 bytes \| .*more than 128 bytes$",
        ),
        "A quota names the containers that say nothing, a limit says how much it is, a missing owner's name is 'must not be empty'.": (
            r"^quota: a pod that says nothing: message: .* \| .*must specify requests\.cpu for: main$",
            r"^refused: a request over the limit: .* \| .*must be less than or equal to cpu limit of 1$",
            r"^updates: patch of an owner: message: .*name must not be empty.* \| .*must not be empty",
        ),
        "Names of environment variables may have any printable character but `=` (since 1.30).": (
            r"^refused: an environment variable: .* \| .*printable ASCII characters other than '='$",
        ),
        "A watch with `resourceVersionMatch` is told about `sendInitialEvents` (since 1.27).": (
            r"^versions: a match of a watch: ",
        ),
        "A pod whose fixed fields change is told which fields may change, without the difference as Go code.": (
            r"^pod: patch of (a command|a node|a grace): (message|details\.causes\[0\]\.message): .*Forbidden: pod updates may not change",
        ),
        "A pod that no node takes: the scheduler also says why preemption does not help.": (
            r"status\.conditions\[PodScheduled\]\.message: 0/\d+ nodes are available: .* \| 0/\d+ nodes are available: .*preemption",
        ),
    },
    "What the sandbox does otherwise on purpose": {
        "It says so: `/version` names Python and `+sandbox`.": (
            r"^discovery: /version: (compiler|git|go|minor|emulation|minCompatibility)",
        ),
        "The list of paths that an unknown path is answered with is the sandbox's own.": (
            r"^refused: a path: paths: ",
        ),
        "Service addresses are loopback addresses (`127.…`).": (
            r"^services table: rows\[0\]\.cells\[2\]: 10\.[\d.]+ \| 127\.[\d.]+$",
        ),
        "Tokens are meant for the audience `https://kubernetes.default.svc.cluster.local`.": (
            r"^token: [^:]*: (spec|status)\.audiences\[0\]: https://kubernetes\.default\.svc \| https://kubernetes\.default\.svc\.cluster\.local$",
            r"^token: review for somebody else: status\.error: ",
        ),
        "A CustomResourceDefinition is established by the request that creates it, not a moment later.": (
            r"^crd: create: status\.(acceptedNames\.|conditions: null)",
        ),
        "A mistake is listed once in `details.causes` of an update, where a real server repeats it.": (
            r"^updates: patch of (a label|an annotation|a finalizer|an owner|two controllers): details\.causes: \d items ",
            r"^quota: (a negative amount|of nothing known): details\.causes: \d items ",
        ),
        "What is wrong with broken JSON, YAML or a broken `continue` token is said in the words of the Python libraries.": (
            r"^pages: a broken token: message: invalid continue token: continue key is not valid: ",
            r"^strategic patch: no JSON: message: unexpected EOF \| unexpected end of JSON input$",
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Known:
    """Differences whose ``step: path: real | sandbox`` line the pattern matches somewhere."""

    pattern: str
    reason: str

    def matches(self, line: str) -> bool:
        return re.search(self.pattern, line, re.DOTALL) is not None


KNOWN = [
    Known(pattern, reason)
    for reasons in GROUPS.values()
    for reason, patterns in reasons.items()
    for pattern in patterns
]


def reason(line: str) -> str | None:
    """Why a difference is there, None when nobody knows."""
    return next((known.reason for known in KNOWN if known.matches(line)), None)
