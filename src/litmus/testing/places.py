"""Where a test makes its chaos: a sandbox that exists only for it, or the cluster of KUBECONFIG.

With pytest-xdist every worker has a sandbox of its own: experiments that break nodes must not meet other tests, and a
sandbox is cheap. It belongs to the process of pytest and ends with it, also when that is killed.
"""

import asyncio
import contextlib
import io
import os
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from litmus.api import names
from litmus.cli import demo, failures, installed, options
from litmus.cli import install as installation
from litmus.cli import sandbox as sandboxes
from litmus.kube import Cluster, errors, kinds
from litmus.sandbox.lifecycle import SandboxError, launch
from litmus.sandbox.lifecycle import folder as folders
from litmus.sandbox.machinery import ports

R = TypeVar("R")
KUBECTL_DEADLINE_S = 120


class KubectlFailed(Exception):
    """kubectl ended with another status than 0; the text has the command and what it said."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster with litmus in it. ``kubeconfig`` is a file, or empty for what the environment says."""

    kubeconfig: str
    is_sandbox: bool

    def connect(self) -> Cluster:
        """A connection, to be used as an async context manager."""
        return Cluster.connect(kubeconfig=self.kubeconfig)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl prints; ``stdin`` for ``apply -f -``. Raises KubectlFailed, and Failed where there is none."""
        env = {**os.environ, **({"KUBECONFIG": self.kubeconfig} if self.kubeconfig else {})}
        if self.is_sandbox:  # its addresses are used again, by sandboxes with other kinds
            env["KUBECACHEDIR"] = f"{self.kubeconfig}.cache"
        done = subprocess.run(
            [demo.path(), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=env,
            timeout=KUBECTL_DEADLINE_S,
            check=False,
        )
        if done.returncode:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def address(self, service: str, port: int, *, namespace: str = "default") -> str:
        """Host and port of a Service, as pods reach it - and this machine too, where the place is a sandbox."""
        return blocking(self._address(service, port, namespace))

    async def _address(self, service: str, port: int, namespace: str) -> str:
        if not self.is_sandbox:
            return f"{service}.{namespace}.svc:{port}"
        async with self.connect() as cluster:
            found = await cluster.get(kinds.raw(kinds.SERVICE), service, namespace=namespace)
        return f"{found['spec']['clusterIP']}:{ports.reachable(port)}"  # a sandbox has no DNS, and no low ports


def held(make: Callable[[], AbstractContextManager[Place]], *, fail: Callable[[str], None]) -> Iterator[Place]:
    """The place for the time of a fixture; ``fail`` gets the sentence when there can't be one."""
    with contextlib.ExitStack() as stack:
        place: Place | None = None
        problem = ""
        try:
            place = stack.enter_context(make())
        except (SandboxError, failures.Failed, errors.KubeError) as error:
            problem = f"litmus: {error}"
        if place is None:  # out here, or pytest would show what was caught as well
            fail(problem)
            return
        yield place


@contextlib.contextmanager
def sandbox(*, keep: bool = False) -> Iterator[Place]:
    """A new sandbox with the operator. Raises SandboxError, Failed or KubeError when that can't be."""
    name = f"pytest-{os.getpid()}"
    folder = folders.named(name)
    settings = folders.Settings(name=name)
    with launch.started(folder, settings, images=sandboxes.own_images()) as start:
        start.await_ready()
        with contextlib.redirect_stdout(io.StringIO()):
            blocking(installation.install(kubeconfig=str(folder.kubeconfig)))
        yield Place(str(folder.kubeconfig), is_sandbox=True)
        if keep:
            start.let_go()


@contextlib.contextmanager
def cluster() -> Iterator[Place]:
    """The cluster that kubectl would use. Raises Failed or KubeError with what is missing."""
    place = Place("", is_sandbox=False)
    blocking(_expect_litmus(place))
    yield place


async def _expect_litmus(place: Place) -> None:
    try:
        async with place.connect() as connected:
            await connected.select(kinds.raw(kinds.ENGINE), namespace=connected.namespace)
    except errors.NotFound:
        raise failures.Failed(
            "the cluster of KUBECONFIG does not know ChaosEngines; first run: litmus install"
        ) from None
    except (errors.ConfigError, errors.Unreachable) as error:
        raise failures.Failed(f"{error}. --litmus=sandbox needs no cluster: it makes one on this machine") from error


async def image(connected: Cluster, place: Place) -> str:
    """The image of litmus there: that of its operator."""
    if place.is_sandbox:
        return options.image("")
    try:
        found = await installed.image_of(connected, names.OPERATOR_NAME, namespace=names.OPERATOR_NAMESPACE)
    except errors.Forbidden:
        found = ""
    return found or options.image("")


def blocking(work: Coroutine[Any, Any, R]) -> R:
    """Carries it out to its end; also from within a running event loop, which then stands still, as for any blocking
    call of a test.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
