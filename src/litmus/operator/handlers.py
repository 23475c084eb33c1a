"""What kopf tells us, and to whom it goes on: engines, their runner pods, and schedules."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import kopf
import msgspec

from litmus import api
from litmus.api import names
from litmus.api.meta import present
from litmus.kube import Cluster, events
from litmus.kube import settings as connection

from . import decide, engine, keeper, rules, schedules


def registry(
    cluster: Cluster,
    poster: events.Poster,
    kept: keeper.Keeper,
    planned: keeper.Keeper,
    held: rules.Rules,
    *,
    allowed: Callable[[], Awaitable[None]],
    image: str,
) -> kopf.OperatorRegistry:
    """``kept`` looks after engines, ``planned`` after schedules; each of their steps waits until it is ``allowed``.

    Only ``on.event`` handlers: kopf then writes nothing to the objects, neither annotations nor finalizers.
    """
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    def login(**_: Any) -> kopf.ConnectionInfo:
        """As our own door does it: kopf would need a cluster DNS. Called again when a token has expired."""
        config = connection.load()
        target, user = config.cluster, config.user or connection.User()
        return kopf.ConnectionInfo(
            server=target.server,
            ca_path=config.abs_file(target.certificate_auth) if target.certificate_auth else None,
            ca_data=target.certificate_auth_data,
            insecure=target.insecure or None,
            token=Path(user.token_file).read_text(encoding="utf-8").strip() if user.token_file else user.token,
            username=user.username,
            password=user.password,
            certificate_path=config.abs_file(user.client_cert) if user.client_cert else None,
            certificate_data=user.client_cert_data,
            private_key_path=config.abs_file(user.client_key) if user.client_key else None,
            private_key_data=user.client_key_data,
        )

    @kopf.on.event(api.GROUP, api.VERSION, "chaosengines", registry=handlers)
    async def engine_changed(body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002 - kopf's name
        seen = msgspec.convert(present(dict(body)), api.ChaosEngine)
        planned.wake(seen.metadata.labels.get(names.CHAOS_UID, ""))  # the uid of its schedule, if it has one
        if type == "DELETED" or not decide.needs_attention(seen):
            kept.wake(seen.metadata.uid)
            return
        meta = seen.metadata
        reconciler = engine.Reconciler(
            cluster, poster, namespace=meta.namespace, name=meta.name, image=image, rules=held
        )
        kept.attend(meta.uid, _when(allowed, reconciler.reconcile))

    @kopf.on.event("v1", "pods", labels={names.COMPONENT: names.RUNNER_COMPONENT}, registry=handlers)
    async def runner_changed(labels: kopf.Labels, **_: Any) -> None:
        kept.wake(labels.get(names.CHAOS_UID, ""))

    @kopf.on.event(api.GROUP, api.VERSION, "chaosschedules", registry=handlers)
    async def schedule_changed(body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002 - kopf's name
        meta = body["metadata"]
        if type == "DELETED":
            planned.wake(meta["uid"])
            return
        name, namespace = meta["name"], meta["namespace"]
        reconciler = schedules.Reconciler(cluster, poster, namespace=namespace, name=name, rules=held)
        planned.attend(meta["uid"], _when(allowed, reconciler.reconcile))

    return handlers


def _when(allowed: Callable[[], Awaitable[None]], reconcile: keeper.Reconcile) -> keeper.Reconcile:
    """Before the switch and the caps were looked at, nothing is done, nor before all faults of a halt were."""

    async def then() -> decide.Action | keeper.Pause:
        await allowed()
        return await reconcile()

    return then
