"""What the real kubectl shows of all common kinds: describe, get -o wide, explain, and what a server says of itself."""

import re
import secrets
from collections.abc import Iterator

import pytest

from tests.sandbox.whole.conftest import Sandbox, until

CROWD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx
        ports: [{name: http, containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
        resources: {requests: {cpu: 10m, memory: 8Mi}, limits: {cpu: 100m}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: main, image: pause}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: main, image: pause}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: busybox, command: ["true"]}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: often}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate:
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {word: geheim}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: door}
spec:
  rules: [{host: foo.example, http: {paths: [{path: /, pathType: Prefix,
    backend: {service: {name: web, port: {number: 80}}}}]}}]
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.describe.example.com}
spec:
  group: describe.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wdg], categories: [gadgets]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties: {size: {type: integer, minimum: 1, description: How big it is.}}
"""
WIDGET = "{apiVersion: describe.example.com/v1, kind: Widget, metadata: {name: one}, spec: {size: 3}}"


@pytest.fixture(scope="module")
def crowd(sandbox: Sandbox) -> Iterator[str]:
    """A namespace with one of each; nobody changes them."""
    name = f"crowd-{secrets.token_hex(3)}"
    sandbox.kubectl("create", "namespace", name)
    sandbox.kubectl("apply", "-n", name, "-f", "-", stdin=CROWD)
    for what in ("deploy/web", "sts/db", "ds/agent"):
        sandbox.kubectl("rollout", "status", what, "-n", name, "--timeout=60s")
    sandbox.kubectl("wait", "job/once", "-n", name, "--for=condition=Complete", "--timeout=30s")
    yield name
    sandbox.kubectl("delete", "namespace", name, "--wait=false")


# What → patterns, in this order
DESCRIBED = {
    "pod -l app=web": (
        r"^Name: +web-",
        r"^Node: +node\d/127\.",
        r"^Status: +Running$",
        r"^IP: +127\.",
        r"^Controlled By: +ReplicaSet/web",
        r"^    Container ID: +\w+://[0-9a-f]{64}$",
        r"^    Image ID: +docker.io/library/nginx@sha256:[0-9a-f]{64}$",
        r"^    State: +Running$",
        r"^      cpu: +100m$",
        r"^    Readiness: +http-get http://:http/ delay=0s timeout=1s period",
        r"^      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-\w{5} \(ro\)$",
        r"^  PodReadyToStartContainers +True",
        r"^  Ready +True",
        r"^  PodScheduled +True",
        r"^QoS Class: +Burstable$",
        r"^Tolerations: +node.kubernetes.io/not-ready:NoExecute op=Exists for 300s$",
    ),
    "pod db-0": (
        r"^Controlled By: +StatefulSet/db$",
        r"^Events:$",
        r"^  Normal +Scheduled +\w+ +default-scheduler +Successfully assigned \S+/db-0 to node\d$",
        r"^  Normal +Pull(ing|ed) +\w+ +kubelet ",
        r"^  Normal +Created ",
        r"^  Normal +Started ",
    ),
    "deploy web": (
        r"^Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable$",
        r"^StrategyType: +RollingUpdate$",
        r"^  Available +True +MinimumReplicasAvailable$",
        r"^  Progressing +True +NewReplicaSetAvailable$",
        r"^OldReplicaSets: +<none>$",
        r"^NewReplicaSet: +web-\w+ \(2/2 replicas created\)$",
        r"^  Normal +ScalingReplicaSet +\w+ +deployment-controller +Scaled up replica set web-\w+ from 0 to 2$",
    ),
    "rs -l app=web": (
        r"^Controlled By: +Deployment/web$",
        r"^Replicas: +2 current / 2 desired$",
        r"^Pods Status: +2 Running / 0 Waiting / 0 Succeeded / 0 Failed$",
        r"SuccessfulCreate +\w+ +replicaset-controller +Created pod: web-",
    ),
    "sts db": (
        r"^Replicas: +1 desired \| 1 total$",
        r"^Update Strategy: +RollingUpdate$",
        r"create Pod db-0 in StatefulSet db successful$",
    ),
    "ds agent": (
        r"^Desired Number of Nodes Scheduled: 3$",
        r"^Pods Status: +3 Running / 0",
        r"daemonset-controller +Created pod: agent-",
    ),
    "job once": (
        r"^Completion Mode: +NonIndexed$",
        r"^Pods Statuses: +0 Active \(0 Ready\) / 1 Succeeded / 0 Failed$",
        r"job-controller +Job completed$",
    ),
    "cronjob often": (r"^Schedule: +0 0 1 1 \*$", r"^Concurrency Policy: +Allow$", r"^Last Schedule Time: +<unset>$"),
    "svc web": (
        r"^Type: +ClusterIP$",
        r"^IP: +127\.",
        r"^TargetPort: +http/TCP$",
        r"^Endpoints: +127\.[\d.]+:\d+,127\.[\d.]+:\d+$",
    ),
    "sa default": (r"^Name: +default$", r"^Image pull secrets: +<none>$"),
    "pdb web": (r"^Min available: +1$", r"^ +Allowed disruptions: +1$", r"^ +Current: +2$"),
    "secret key": (r"^Type: +Opaque$", r"^word: +6 bytes$"),
    "cm kube-root-ca.crt": (r"^ca.crt:$", r"^-----BEGIN CERTIFICATE-----$"),
    "ingress door": (r"^  foo.example +$", r"^ +/ +web:80 \(127\.[\d.]+:\d+,127\.[\d.]+:\d+\)$"),
    "endpointslice": (r"^AddressType: +IPv4$", r"^  <unset>  80    TCP$", r"^ +TargetRef: +Pod/web-"),
    "node node1": (
        r"^Roles: +<none>$",
        r"kubernetes.io/hostname=node1$",
        r"^Taints: +<none>$",
        r"^  HolderIdentity: +node1$",
        r"^  Ready +True .* KubeletReady +kubelet is posting ready status$",
        r"^  InternalIP: +127\.",
        r"^  pods: +110$",
        r"^PodCIDR: +127\.[\d.]+/24$",
        r"^  \S+ +agent-\w{5} +0 \(0%\)",
        r"^  cpu +\d+m \(\d+%\)",
        r"^Events:$",
    ),
}


@pytest.mark.parametrize("what", DESCRIBED)
def test_describe_tells_what_a_real_cluster_tells(sandbox: Sandbox, crowd: str, what: str) -> None:
    said = sandbox.kubectl("describe", *what.split(), "-n", crowd)
    at = 0
    for pattern in DESCRIBED[what]:
        found = re.compile(pattern, re.MULTILINE).search(said, at)
        assert found, f"{pattern} in\n{said}"
        at = found.end()


def test_describe_a_namespace(sandbox: Sandbox, crowd: str) -> None:
    assert re.fullmatch(
        rf"Name: +{crowd}\nLabels: +kubernetes.io/metadata.name={crowd}\nAnnotations: +<none>\nStatus: +Active\n\n"
        r"No resource quota.\n\nNo LimitRange resource.\n",
        sandbox.kubectl("describe", "ns", crowd),
    )


def test_wide_columns_are_those_of_a_cluster(sandbox: Sandbox, crowd: str) -> None:
    def columns(kind: str) -> str:
        return re.sub(" {2,}", "  ", sandbox.kubectl("get", kind, "-n", crowd, "-o", "wide").splitlines()[0]).strip()

    pod = "NAME  READY  STATUS  RESTARTS  AGE  IP  NODE  NOMINATED NODE  READINESS GATES"
    assert columns("pods") == pod
    assert columns("deploy") == "NAME  READY  UP-TO-DATE  AVAILABLE  AGE  CONTAINERS  IMAGES  SELECTOR"
    assert columns("jobs") == "NAME  STATUS  COMPLETIONS  DURATION  AGE  CONTAINERS  IMAGES  SELECTOR"
    assert columns("events") == "LAST SEEN  TYPE  REASON  OBJECT  SUBOBJECT  SOURCE  MESSAGE  FIRST SEEN  COUNT  NAME"
    node = "NAME  STATUS  ROLES  AGE  VERSION  INTERNAL-IP  EXTERNAL-IP  OS-IMAGE  KERNEL-VERSION  CONTAINER-RUNTIME"
    assert columns("nodes") == node


def test_get_all_shows_each_kind_in_the_usual_order(sandbox: Sandbox, crowd: str) -> None:
    kinds = [line.split("/")[0] for line in sandbox.kubectl("get", "all", "-n", crowd, "-o", "name").splitlines()]
    assert list(dict.fromkeys(kinds)) == [
        "pod",
        "service",
        "daemonset.apps",
        "deployment.apps",
        "replicaset.apps",
        "statefulset.apps",
        "cronjob.batch",
        "job.batch",
    ]


def test_other_outputs_of_get(sandbox: Sandbox, crowd: str) -> None:
    get = ("get", "pods", "-n", crowd, "-l", "app=db")
    assert (
        sandbox.kubectl(*get, "-o", "custom-columns=N:.metadata.name,P:.status.phase") == "N      P\ndb-0   Running\n"
    )
    assert sandbox.kubectl(*get, "-o", "go-template={{range .items}}{{.spec.restartPolicy}}{{end}}") == "Always"
    assert sandbox.kubectl(*get, "-L", "app", "--no-headers").split()[-1] == "db"
    assert sandbox.kubectl(*get, "--field-selector=status.phase=Failed") == ""
    refused = sandbox.tried("get", "pods", "-n", crowd, "--field-selector=spec.color=blue").stderr
    assert refused == (
        'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", '
        'field selector "spec.color=blue": field label not supported: spec.color\n'
    )
    assert len(sandbox.kubectl("get", "pods", "-n", crowd, "--chunk-size=2", "-o", "name").splitlines()) == 7
    raw = sandbox.kubectl("get", "--raw", f"/api/v1/namespaces/{crowd}/pods/db-0")
    assert raw.startswith('{"kind":"Pod","apiVersion":"v1","metadata":{')


def test_a_custom_resource_is_listed_described_with_its_events_and_explained(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("apply", "-f", "-", stdin=DEFINITION)
    try:
        sandbox.kubectl("wait", "crd/widgets.describe.example.com", "--for=condition=Established", "--timeout=10s")
        # kubectl looks for kinds that it does not know again, but the index that it has may be some milliseconds old.
        until(lambda: not sandbox.tried("apply", "-n", namespace, "-f", "-", stdin=WIDGET).returncode, "the kind")
        uid = sandbox.get("wdg", "one", "-n", namespace)["metadata"]["uid"]
        about = f"{{apiVersion: describe.example.com/v1, kind: Widget, name: one, namespace: {namespace}, uid: {uid}}}"
        event = (
            f"{{apiVersion: v1, kind: Event, metadata: {{name: one.1}}, involvedObject: {about}, reason: Grown, "
            "message: It is 3 now., type: Normal, source: {component: gardener}}"
        )
        sandbox.kubectl("create", "-n", namespace, "-f", "-", stdin=event)
        assert re.fullmatch(r"NAME +SIZE +AGE\none +3 +\d+s\n", sandbox.kubectl("get", "wdg", "-n", namespace))
        assert sandbox.kubectl("get", "gadgets", "-n", namespace, "-o", "name") == "widget.describe.example.com/one\n"
        described = sandbox.kubectl("describe", "widget", "one", "-n", namespace)
        assert re.search(r"^Spec:\n  Size: +3$", described, re.MULTILINE)
        assert re.search(r"^  Normal  Grown +\S+ +gardener  It is 3 now\.$", described, re.MULTILINE)
        assert "How big it is." in sandbox.kubectl("explain", "widget.spec.size")
        refused = sandbox.tried("apply", "-n", namespace, "-f", "-", stdin=WIDGET.replace("size: 3", "size: 0"))
        assert refused.stderr.splitlines()[-1].endswith(
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"
        )
    finally:
        sandbox.kubectl("delete", "crd", "widgets.describe.example.com")


def test_a_server_tells_what_it_has(sandbox: Sandbox) -> None:
    assert {"v1", "apps/v1", "batch/v1", "policy/v1"} <= set(sandbox.kubectl("api-versions").splitlines())
    resources = sandbox.kubectl("api-resources", "--api-group=apps", "--no-headers")
    assert re.search(r"^deployments +deploy +apps/v1 +true +Deployment$", resources, re.MULTILINE)
    assert "is running at https://127.0.0.1:" in sandbox.kubectl("cluster-info")
    assert re.search(r"^Server Version: v1\.\d+\.", sandbox.kubectl("version"), re.MULTILINE)
    assert sandbox.kubectl("get", "--raw", "/readyz") == "ok"
    assert sandbox.tried("get", "foo").stderr == 'error: the server doesn\'t have a resource type "foo"\n'
    assert sandbox.tried("top", "nodes").stderr == "error: Metrics API not available\n"


def test_who_am_i_and_what_may_i(sandbox: Sandbox, namespace: str) -> None:
    assert re.search(r"^Groups +\[system:masters system:authenticated\]$", sandbox.kubectl("auth", "whoami"), re.M)
    assert re.search(r"^\*\.\* +\[\] +\[\] +\[\*\]$", sandbox.kubectl("auth", "can-i", "--list"), re.MULTILINE)
    token = sandbox.kubectl("create", "token", "default", "-n", namespace).strip()
    bare = ("--kubeconfig=/dev/null", f"--server={sandbox.server}", "--insecure-skip-tls-verify", f"--token={token}")
    told = sandbox.kubectl(*bare, "auth", "whoami")
    assert re.search(rf"^Username +system:serviceaccount:{namespace}:default$", told, re.MULTILINE)
    refused = sandbox.tried(*bare, "get", "pods", "-n", namespace)
    assert refused.stderr == (
        f'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:{namespace}:default" cannot '
        f'list resource "pods" in API group "" in the namespace "{namespace}"\n'
    )
    wrong = sandbox.tried(*bare[:-1], "--token=wrong", "get", "pods")
    assert "You must be logged in to the server" in wrong.stderr
