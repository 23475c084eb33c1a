"""Plays the script against one cluster, over HTTP and with nothing of ours in between; the answers in their order."""

import base64
import json
import re
import ssl
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import yaml

from tests.cluster.conformance.steps import CLUSTER_WIDE, HELD, MERGE, NAMESPACE, Step, core, delete, get

_DEADLINE_S = 120.0
_POLL_S = 0.1
_REFERENCE = re.compile(r"\{(rv|uid|continue|token|version):([^}]*)\}")
_OF_META = {"rv": "resourceVersion", "uid": "uid", "continue": "continue"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status code and content: JSON where it is that, a list of events of a watch, else text."""

    code: int
    content: Any


@dataclass(slots=True)
class Player:
    """One cluster, by its kubeconfig."""

    kubeconfig: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _versions: dict[str, str] = field(default_factory=dict)

    def play(self, steps: Sequence[Step]) -> dict[str, Answer]:
        """The answers by the names of the steps."""
        server, tls, token = _access(self.kubeconfig)
        with (
            httpx2.Client(base_url=server, verify=tls, timeout=30) as client,
            httpx2.Client(base_url=server, verify=_anonymous(self.kubeconfig), timeout=30) as stranger,
        ):
            for step in steps:
                self.answers[step.name] = self._await(step, lambda step=step: self._ask(client, stranger, step, token))
        return self.answers

    def _await(self, step: Step, ask: Callable[[], Answer]) -> Answer:
        give_up = time.monotonic() + _DEADLINE_S
        while True:
            answer = ask()
            if not _awaited(step, answer):
                return answer
            assert time.monotonic() < give_up, f"{self.kubeconfig}: waited {_DEADLINE_S:g} s for {step.name}: {answer}"
            time.sleep(_POLL_S)

    def _ask(self, client: httpx2.Client, stranger: httpx2.Client, step: Step, token: str) -> Answer:
        def fill(text: str) -> str:
            return _REFERENCE.sub(lambda match: self._value(client, token, match[1], match[2]), text)

        used, headers = client, {"Accept": step.accept, **step.headers}
        bearer = token if step.token is None else fill(step.token)
        if step.user:
            bearer = self._token(client, step.user, token)
        if step.user or step.token is not None:
            used = stranger  # without the administrator's certificate
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        body = step.body if isinstance(step.body, str | None) else json.dumps(step.body)
        if body is not None:
            body = fill(body)
            headers["Content-Type"] = step.type
        answer = used.request(step.method, fill(step.path), headers=headers, content=body)
        text = answer.text
        if step.watch and answer.status_code == 200:
            return Answer(200, [json.loads(line) for line in text.splitlines() if line])
        if "yaml" in answer.headers.get("content-type", ""):
            return Answer(answer.status_code, yaml.load(text, Loader=yaml.BaseLoader))  # times stay text
        try:
            return Answer(answer.status_code, json.loads(text))
        except json.JSONDecodeError:
            return Answer(answer.status_code, text)

    def _value(self, client: httpx2.Client, token: str, what: str, name: str) -> str:
        """What stands for a reference in a path or body."""
        if what == "token":
            return self._token(client, name, token)
        if what == "version":
            return self._version(client, name, token)
        return str(self.answers[name].content["metadata"].get(_OF_META[what], "none"))

    def _version(self, client: httpx2.Client, resource: str, token: str) -> str:
        """The group and version under which the cluster has a resource, a stable one before others."""
        if resource not in self._versions:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            group, _, plural = resource.partition("/")
            listed = client.get(f"/apis/{group}", headers=headers).raise_for_status().json()["versions"]
            for version in sorted((each["groupVersion"] for each in listed), key=lambda each: (len(each), each)):
                found = client.get(f"/apis/{version}", headers=headers).raise_for_status().json()["resources"]
                if any(each["name"] == plural for each in found):
                    self._versions[resource] = version
                    break
        return self._versions[resource]

    def _token(self, client: httpx2.Client, account: str, token: str) -> str:
        if account not in self._tokens:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
            made = client.post(core("serviceaccounts", f"{account}/token"), json=asked, headers=headers)
            self._tokens[account] = made.raise_for_status().json()["status"]["token"]
        return self._tokens[account]


def _awaited(step: Step, answer: Answer) -> bool:
    if step.gone:
        return answer.code != 404
    if not step.until:
        return False
    if step.until.startswith("kind="):
        return not (isinstance(answer.content, dict) and answer.content.get("kind") == step.until[5:])
    path, _, wanted = step.until.partition("=")
    found: Any = answer.content
    for part in path.split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list):
            found = found[int(part)] if int(part) < len(found) else None
        else:
            return True
    return found is None or (bool(wanted) and str(found) != wanted)


def _access(kubeconfig: Path) -> tuple[str, ssl.SSLContext, str]:
    config = yaml.safe_load(kubeconfig.read_text())
    user = config["users"][0]["user"]
    tls = _anonymous(kubeconfig)
    certificate = _pem(user, "client-certificate")
    if certificate:
        with tempfile.NamedTemporaryFile("wb", suffix=".pem") as file:
            file.write(certificate + b"\n" + _pem(user, "client-key"))
            file.flush()
            tls.load_cert_chain(file.name)
    return config["clusters"][0]["cluster"]["server"], tls, user.get("token", "")


def _anonymous(kubeconfig: Path) -> ssl.SSLContext:
    config = yaml.safe_load(kubeconfig.read_text())
    return ssl.create_default_context(cadata=_pem(config["clusters"][0]["cluster"], "certificate-authority").decode())


def _pem(entry: dict[str, str], name: str) -> bytes:
    if f"{name}-data" in entry:
        return base64.b64decode(entry[f"{name}-data"])
    return Path(entry[name]).read_bytes() if name in entry else b""


def version(kubeconfig: Path) -> str:
    """Of the cluster: its ``gitVersion``."""
    asked = Step(name="version", method="GET", path="/version")
    return str(Player(kubeconfig).play([asked])["version"].content["gitVersion"])


def leftovers(kubeconfig: Path) -> None:
    """Removes what an earlier play that broke off left behind, and waits until it is gone."""
    steps = [
        Step(name=f"let {path} go", method="PATCH", path=path, type=MERGE, body={"metadata": {"finalizers": None}})
        for path in (core("configmaps", name) for name in HELD)
    ]
    for path in (*CLUSTER_WIDE, f"/api/v1/namespaces/{NAMESPACE}"):
        steps += [delete(f"clear {path}", path), get(f"cleared {path}", path, gone=True)]
    Player(kubeconfig).play(steps)
