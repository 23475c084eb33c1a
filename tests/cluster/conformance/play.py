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

from tests.cluster.conformance.steps import NAMESPACE, Step, core

_DEADLINE_S = 40.0
_POLL_S = 0.1
_REFERENCE = re.compile(r"\{(rv|uid|continue):([^}]*)\}")


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
        used, headers = client, {"Accept": step.accept}
        bearer = token if step.token is None else step.token
        if step.user:
            bearer = self._token(client, step.user, token)
        if step.user or step.token is not None:
            used = stranger  # without the administrator's certificate
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        body = step.body if isinstance(step.body, str | None) else json.dumps(step.body)
        if body is not None:
            body = self._filled(body)
            headers["Content-Type"] = step.type
        answer = used.request(step.method, self._filled(step.path), headers=headers, content=body)
        text = answer.text
        if step.watch and answer.status_code == 200:
            return Answer(200, [json.loads(line) for line in text.splitlines() if line])
        try:
            return Answer(answer.status_code, json.loads(text))
        except json.JSONDecodeError:
            return Answer(answer.status_code, text)

    def _filled(self, text: str) -> str:
        """The text with the versions, uids and tokens of earlier answers in it."""

        def value(match: re.Match[str]) -> str:
            meta = self.answers[match[2]].content["metadata"]
            key = {"rv": "resourceVersion", "uid": "uid", "continue": "continue"}[match[1]]
            return str(meta.get(key, "none"))

        return _REFERENCE.sub(value, text)

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
    found: Any = answer.content
    for part in step.until.split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list):
            found = found[int(part)] if int(part) < len(found) else None
        else:
            return True
    return found is None


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


def leftovers(kubeconfig: Path) -> None:
    """Removes what an earlier play that broke off left behind, and waits until it is gone."""
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.conformance.example.com"
    namespace = f"/api/v1/namespaces/{NAMESPACE}"
    steps = [Step(name=f"clear {path}", method="DELETE", path=path) for path in (crd, namespace)]
    Player(kubeconfig).play([*steps, Step(name="cleared", method="GET", path=namespace, gone=True)])
