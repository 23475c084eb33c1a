"""The means of probes and of lifecycle hooks in one place: a command, HTTP, TCP, gRPC, or waiting.

Source: Kubernetes documentation, "Container Lifecycle Hooks", and pkg/kubelet/lifecycle for what events say.
"""

import asyncio
import json

from litmus.sandbox.machinery.objects import Obj

from . import asking, commands, spawning
from .probes import Answer
from .recipes import Prepared

HOOK_S = 3600.0
"""A postStart hook has no deadline of its own."""


class Failed(Exception):
    """A hook failed; the message is what the event says."""


async def probe(
    spec: Obj, container: Obj, prepared: Prepared, env: dict[str, str], *, ip: str, timeout_s: float
) -> Answer:
    """One attempt of a probe."""
    if "exec" in spec:
        return await _command(spec["exec"].get("command") or [], prepared, env, timeout_s=timeout_s)
    if "httpGet" in spec:
        return await asking.http(spec["httpGet"], container, ip=ip, timeout_s=timeout_s)
    if "tcpSocket" in spec:
        return await asking.tcp(spec["tcpSocket"], container, ip=ip, timeout_s=timeout_s)
    if "grpc" in spec:
        return await asking.grpc(spec["grpc"], ip=ip, timeout_s=timeout_s)
    return Answer(False, f"missing probe handler for {container['name']}", error=True)


async def hook(
    spec: Obj, container: Obj, prepared: Prepared, env: dict[str, str], *, ip: str, timeout_s: float
) -> None:
    """Runs a postStart or preStop handler. Raises Failed."""
    if "sleep" in spec:
        await asyncio.sleep(min(float(spec["sleep"].get("seconds") or 0), timeout_s))
    elif "exec" in spec:
        words = spec["exec"].get("command") or []
        try:
            outcome = await commands.run(prepared.command(words, env), timeout_s=timeout_s)
        except spawning.NotStarted as error:
            raise Failed(str(error)) from error
        except TimeoutError as error:
            raise Failed(f"command {' '.join(words)!r} timed out") from error
        if outcome.code:
            shown = json.dumps(outcome.output, ensure_ascii=False)
            raise Failed(f"command '{' '.join(words)}' exited with {outcome.code}: , message: {shown}")
    elif "httpGet" in spec:
        answer = await asking.http(spec["httpGet"], container, ip=ip, timeout_s=timeout_s)
        if not answer.success:
            raise Failed(answer.output)


async def _command(words: list[str], prepared: Prepared, env: dict[str, str], *, timeout_s: float) -> Answer:
    try:
        outcome = await commands.run(prepared.command(words, env), timeout_s=timeout_s)
    except spawning.NotStarted as error:
        return Answer(False, f"rpc error: code = Unknown desc = failed to exec in container: {error}", error=True)
    except TimeoutError:
        shown = json.dumps(" ".join(words), ensure_ascii=False)
        return Answer(False, f"command timed out: {shown} timed out after {timeout_s:g}s")
    return Answer(outcome.code == 0, outcome.output)
