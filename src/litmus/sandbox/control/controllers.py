"""All controllers of a sandbox, the scheduler among them."""

from collections.abc import Sequence

from litmus.sandbox.apiserver import tokens
from litmus.sandbox.controllers.aggregated_roles import AggregatedRoles
from litmus.sandbox.controllers.apiserver_service import ApiserverService
from litmus.sandbox.controllers.cron_jobs import CronJobs
from litmus.sandbox.controllers.daemon_sets import DaemonSets
from litmus.sandbox.controllers.definitions import Definitions
from litmus.sandbox.controllers.deployments import Deployments
from litmus.sandbox.controllers.disruption import Disruption
from litmus.sandbox.controllers.endpoint_mirror import EndpointMirror
from litmus.sandbox.controllers.endpoint_slices import EndpointSlices
from litmus.sandbox.controllers.endpoints import Endpoints
from litmus.sandbox.controllers.garbage import Garbage
from litmus.sandbox.controllers.jobs import Jobs
from litmus.sandbox.controllers.loop import Controller
from litmus.sandbox.controllers.namespaces import Namespaces
from litmus.sandbox.controllers.node_life import NodeLife
from litmus.sandbox.controllers.pod_garbage import PodGarbage
from litmus.sandbox.controllers.replica_sets import ReplicaSets, ReplicationControllers
from litmus.sandbox.controllers.resource_quotas import ResourceQuotas
from litmus.sandbox.controllers.service_accounts import RootCa, ServiceAccounts, TokenSecrets
from litmus.sandbox.controllers.stateful_sets import StatefulSets
from litmus.sandbox.controllers.taint_eviction import TaintEviction
from litmus.sandbox.controllers.volume_protection import VolumeProtection
from litmus.sandbox.controllers.volumes import Volumes
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.scheduler.scheduler import Scheduler

# Kubernetes tolerates a silent node for five minutes by default; nobody waits that long for a rehearsal.
LONGEST_TOLERATION_S = 5.0


def everything(
    cluster: Cluster, *, issuer: tokens.Issuer, authority: str, address: str, port: int, kubernetes_ip: str
) -> Sequence[Controller]:
    """``authority``: the certificate that pods trust (PEM); ``address``, ``port``: where the API server listens."""
    return [
        Namespaces(cluster),
        ServiceAccounts(cluster),
        RootCa(cluster, ca=authority),
        TokenSecrets(cluster, ca=authority, issue=issuer.legacy),
        AggregatedRoles(cluster),
        Definitions(cluster),
        Garbage(cluster),
        Deployments(cluster),
        ReplicaSets(cluster),
        ReplicationControllers(cluster),
        StatefulSets(cluster),
        DaemonSets(cluster),
        Jobs(cluster),
        CronJobs(cluster),
        Scheduler(cluster),
        ApiserverService(cluster, address=address, port=port, cluster_ip=kubernetes_ip),
        Endpoints(cluster),
        EndpointSlices(cluster),
        EndpointMirror(cluster),
        NodeLife(cluster),
        TaintEviction(cluster, longest_s=LONGEST_TOLERATION_S),
        PodGarbage(cluster),
        Disruption(cluster),
        Volumes(cluster),
        VolumeProtection(cluster),
        ResourceQuotas(cluster),
    ]
