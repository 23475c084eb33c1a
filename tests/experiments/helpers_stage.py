"""A stage for faults that are held: kubelets on the small API server that play helper pods by a script."""

import json
from dataclasses import dataclass, field
from typing import Any

from litmus.kube import helpers, node_revert
from tests import apiserver, samples

ALL = ("planned", "injected", "proven", "reverted")
_KUBELET = "kubelet"
WHY = "what was asked is not what was delivered"


@dataclass
class Kubelets:
    """Runs helper pods. Each says its node's script; ``on_term`` is what it says when it is asked to end.

    Words beside the events: ``pending`` (it does not start), ``hang``, ``stuck image``, ``die`` (its container ends
    without a word), ``vanish`` (somebody removes the pod). ``second``: what a second one reports, None: it can't start.
    """

    server: apiserver.Server
    script: tuple[str, ...] = ALL
    scripts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    on_term: tuple[str, ...] = ("failed",)
    second: dict[str, str] | None = field(default_factory=lambda: {"said": "put back by a second helper", "left": ""})
    first: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    _seq: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server.on("create", "pods", self._created)
        self.server.on("delete", "pods", self._deleted)

    def say(self, name: str, *words: str) -> None:
        """What the helper pod says or what happens to it."""
        for word in words:
            match word:
                case "pending" | "hang":
                    return
                case "stuck image":
                    self._status(name, "Pending", samples.waiting("ErrImageNeverPull", "absent"))
                case "die":
                    self._end(name, 137, "")
                case "vanish":
                    self.server.remove("pods", name)
                case _:
                    self._event(name, word)
                    if word in ("reverted", "failed", "refused", "stuck"):
                        code = {"reverted": 0, "stuck": 3}.get(word, 2)
                        self._end(name, code, self._last_words(name))

    def name(self, node: str = "node-1") -> str:
        """The name of the node's first helper pod."""
        return str(next(pod["metadata"]["name"] for pod in self.first if pod["spec"]["nodeName"] == node))

    def request(self, node: str = "node-1") -> dict[str, Any]:
        return _request(next(pod for pod in self.first if pod["spec"]["nodeName"] == node))

    def _created(self, server: apiserver.Server, pod: dict[str, Any]) -> None:
        if not {helpers.SESSION_LABEL, node_revert.REVERTS_LABEL} & pod["metadata"].get("labels", {}).keys():
            return
        name = pod["metadata"]["name"]
        if "revert" in _request(pod):
            self.sent.append(pod)
            if self.second is None:
                self._status(name, "Pending", samples.waiting("ErrImageNeverPull", "absent"))
            else:
                self._end(name, 3 if self.second.get("left") else 0, json.dumps(self.second))
            return
        self.first.append(pod)
        script = self.scripts.get(pod["spec"]["nodeName"], self.script)
        pod["metadata"]["finalizers"] = [_KUBELET]  # its deletion is graceful
        self._status(name, "Pending", None)
        if script[:1] not in (("pending",), ("stuck image",)):
            self._status(name, "Running", {"running": {"startedAt": "2026-01-01T00:00:00Z"}})
        self.say(name, *script)

    def _deleted(self, server: apiserver.Server, pod: dict[str, Any]) -> None:
        """A running helper is asked to end; the pod of one that has ended, or never began, is removed."""
        name = pod["metadata"]["name"]
        if pod["metadata"].get("finalizers") != [_KUBELET]:
            return
        statuses = pod["status"].get("containerStatuses", [])
        if statuses and statuses[0]["state"].get("running"):
            self.say(name, *self.on_term)
        else:
            server.remove("pods", name)

    def _event(self, name: str, word: str) -> None:
        targets = _request(next(pod for pod in self.first if pod["metadata"]["name"] == name))["targets"]
        what: dict[str, Any] = {}
        match word.partition(" ")[0]:
            case "planned":
                plans = [
                    {"name": t["name"], "changes": "", "undo": {"kind": "netem", **t["parameters"]}} for t in targets
                ]
                what = {"plans": plans}
            case "proven":
                proofs = [
                    {"index": i, "name": t["name"], "asked": "2 s", "delivered": "2.01 s", "holds": True}
                    for i, t in enumerate(targets)
                ]
                what = {"proofs": proofs}
            case "gone":
                word, _, index = word.partition(" ")
                what = {"index": int(index), "name": targets[int(index)]["name"], "why": "the container ended"}
            case "failed" | "refused" | "stuck":
                what = {"why": WHY}
        self._seq[name] = self._seq.get(name, 0) + 1
        self.server.write(name, json.dumps({"seq": self._seq[name], "event": word, **what}))

    def _last_words(self, name: str) -> str:
        said = [json.loads(line) for line in self.server.logs["shop", name]]
        return json.dumps({"events": [event for event in said if event["event"] != "planned"]})

    def _end(self, name: str, code: int, message: str) -> None:
        phase = "Failed" if code else "Succeeded"
        self._status(name, phase, samples.terminated(code, reason="Error" if code else "Completed", message=message))

    def _status(self, name: str, phase: str, state: dict[str, Any] | None) -> None:
        statuses = [samples.container("fault", state=state)] if state else []
        self.server.change("pods", name, {"status": {"phase": phase, "containerStatuses": statuses}})


def _request(pod: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = json.loads(pod["spec"]["containers"][0]["args"][0])
    return request
