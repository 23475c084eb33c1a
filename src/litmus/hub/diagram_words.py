# ruff: noqa: RUF001 - Japanese letters that look like signs are meant
"""The words in the diagrams, in English and Japanese: tables, because a drawing has labels and no sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from litmus.experiments.declaration import Blow, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The labels of one language. ``scene`` and ``name`` are templates of sentences for who can't see the drawing."""

    name: str
    scene: str
    client: str
    service: str
    node: str
    pod: str
    other: str
    more: str
    replacement: str
    attached: str
    hit: str
    felt: str
    parts: Mapping[str, str]
    struck: Mapping[Part, str]
    blows: Mapping[Blow, str]
    feels: Mapping[Part, str]

    def title(self, experiment: str) -> str:
        """What the drawing is of."""
        return self.name.format(experiment)

    def what(self, part: Part, blow: Blow | None) -> str:
        """What is hit, and how where that is known: ``Memory of the pod, under load``."""
        return self.struck[part] + (self.blows[blow] if blow else "")

    def description(self, part: Part, what: str) -> str:
        """The drawing in words, for who can't see it."""
        feels = f" {self.felt}: {self.feels[part]}." if self.feels[part] else ""
        return f"{self.scene} {self.hit}: {what}.{feels}"


_ENGLISH = Words(
    name="What {} breaks, and where",
    scene="A client reaches pods on two nodes through a Service.",
    client="Client",
    service="Service",
    node="Node {}",
    pod="Pod",
    other="Other pod",
    more="New pod",
    replacement="Replacement",
    attached="Disk",
    hit="Hit",
    felt="Feel it",
    parts={
        "kubelet": "kubelet",
        "runtime": "runtime",
        "processor": "CPU",
        "memory": "memory",
        "storage": "disk",
    },
    struck={
        "pod": "pod",
        "container": "container",
        "replicas": "number of replicas",
        "service": "Service",
        "pod-network": "packets of the pod",
        "pod-processor": "CPU of the pod",
        "pod-memory": "memory of the pod",
        "pod-storage": "disk of the pod",
        "node": "node",
        "node-processor": "CPU of the node",
        "node-memory": "memory of the node",
        "node-storage": "disk of the node",
        "kubelet": "kubelet of the node",
        "runtime": "container runtime of the node",
        "disk": "disk of the node's machine",
    },
    blows={
        "delete": ", deleted",
        "kill": ", killed",
        "scale": ", raised and put back",
        "drain": ", drained",
        "taint": ", tainted",
        "detach": ", detached",
        "load": ", under load",
        "fill": ", filled",
        "stop": ", out of service",
        "restart": ", restarted",
        "delay": ", delayed",
        "drop": ", dropped",
        "corrupt": ", corrupted",
        "duplicate": ", sent twice",
    },
    feels={
        "pod": "",
        "container": "the other containers of the pod",
        "replicas": "",
        "service": "every client of the Service",
        "pod-network": "every connection of the pod",
        "pod-processor": "the pod",
        "pod-memory": "the pod",
        "pod-storage": "the pod, and its node's disk",
        "node": "every pod on the node",
        "node-processor": "every pod on the node",
        "node-memory": "every pod on the node",
        "node-storage": "every pod on the node",
        "kubelet": "every pod on the node",
        "runtime": "every pod on the node",
        "disk": "pods that use the disk",
    },
)

_JAPANESE = Words(
    name="{}が壊すものとその場所",
    scene="クライアントはServiceを通して、2つのノード上のPodに届きます。",
    client="クライアント",
    service="Service",
    node="ノード{}",
    pod="Pod",
    other="別のPod",
    more="新しいPod",
    replacement="代わりのPod",
    attached="ディスク",
    hit="対象",
    felt="影響",
    parts={
        "kubelet": "kubelet",
        "runtime": "ランタイム",
        "processor": "CPU",
        "memory": "メモリ",
        "storage": "ディスク",
    },
    struck={
        "pod": "Pod",
        "container": "コンテナ",
        "replicas": "レプリカ数",
        "service": "Service",
        "pod-network": "Podのパケット",
        "pod-processor": "PodのCPU",
        "pod-memory": "Podのメモリ",
        "pod-storage": "Podのディスク",
        "node": "ノード",
        "node-processor": "ノードのCPU",
        "node-memory": "ノードのメモリ",
        "node-storage": "ノードのディスク",
        "kubelet": "ノードのkubelet",
        "runtime": "ノードのコンテナランタイム",
        "disk": "ノードのマシンのディスク",
    },
    blows={
        "delete": "の削除",
        "kill": "の強制終了",
        "scale": "を増やして戻す",
        "drain": "のドレイン",
        "taint": "へのTaintの付与",
        "detach": "の切り離し",
        "load": "への負荷",
        "fill": "を埋める",
        "stop": "の停止",
        "restart": "の再起動",
        "delay": "の遅延",
        "drop": "のロス",
        "corrupt": "の破損",
        "duplicate": "の重複送信",
    },
    feels={
        "pod": "",
        "container": "Pod内のほかのコンテナ",
        "replicas": "",
        "service": "Serviceのすべてのクライアント",
        "pod-network": "Podのすべての接続",
        "pod-processor": "Pod全体",
        "pod-memory": "Pod全体",
        "pod-storage": "Pod全体とノードのディスク",
        "node": "ノード上のすべてのPod",
        "node-processor": "ノード上のすべてのPod",
        "node-memory": "ノード上のすべてのPod",
        "node-storage": "ノード上のすべてのPod",
        "kubelet": "ノード上のすべてのPod",
        "runtime": "ノード上のすべてのPod",
        "disk": "そのディスクを使うPod",
    },
)

LANGUAGES: Mapping[str, Words] = {"en": _ENGLISH, "ja": _JAPANESE}
