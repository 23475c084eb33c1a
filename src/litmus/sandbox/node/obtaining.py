"""Waiting for the image of a container: pull, failure, back-off, and the next attempt.

Source: Kubernetes documentation, "Images", "ImagePullBackOff"; pkg/kubelet/images for the texts of events.
"""

import asyncio
import contextlib
from typing import Literal, Protocol

from litmus.sandbox.machinery.objects import Obj

from . import crash_loop, pulling
from .pod_status import Record
from .surroundings import Surroundings

LOOK_S = 1.0
"""How often the table of images is looked at while a container waits for one."""


class Pod(Protocol):
    """What is needed of the pod."""

    around: Surroundings

    async def written(self) -> None: ...

    async def sources_changed(self, timeout_s: float) -> None: ...


class Waiting(Protocol):
    """What is needed of the container's keeper."""

    record: Record
    back_off: crash_loop.BackOff

    @property
    def pod(self) -> Pod: ...

    @property
    def spec(self) -> Obj: ...

    def event(self, reason: str, message: str, *, kind: Literal["Normal", "Warning"] = "Normal") -> None: ...

    def wait(self, reason: str, message: str = "") -> None: ...


async def image(keeper: Waiting) -> pulling.Pulled:
    """The image of the container, however long that takes."""
    while True:
        name = keeper.spec["image"]
        try:
            pulled = keeper.pod.around.images.pull(name, keeper.spec.get("imagePullPolicy", "IfNotPresent"))
        except pulling.Refused as refused:
            await _back_off(keeper, name, refused)
            continue
        keeper.back_off.forget("image")
        keeper.record.image, keeper.record.image_id = pulled.name, pulled.id
        if pulled.fresh:
            keeper.event("Pulling", f'Pulling image "{name}"')
            size = f"Image size: {pulled.size} bytes."
            keeper.event("Pulled", f'Successfully pulled image "{name}" in 1ms (1ms including waiting). {size}')
        else:
            where = "already present on machine and can be accessed by the pod"
            keeper.event("Pulled", f'Container image "{name}" {where}')
        return pulled


async def _back_off(keeper: Waiting, name: str, refused: pulling.Refused) -> None:
    """Says why there is none, and waits until it may be tried again."""
    is_missing = refused.reason == "ErrImagePull"
    if is_missing:
        keeper.event("Pulling", f'Pulling image "{name}"')
        keeper.event("Failed", f'Failed to pull image "{name}": {refused}', kind="Warning")
    else:
        word = "InspectFailed" if refused.reason == "InvalidImageName" else refused.reason
        keeper.event(word, str(refused), kind="Warning")
    keeper.event("Failed", f"Error: {refused.reason}", kind="Warning")
    keeper.wait(refused.reason, str(refused))
    await keeper.pod.written()
    loop = asyncio.get_running_loop()
    pause_s = keeper.back_off.failed("image", loop.time()) or crash_loop.FIRST_S
    if is_missing:
        keeper.event("BackOff", f'Back-off pulling image "{name}"')
        keeper.event("Failed", "Error: ImagePullBackOff", kind="Warning")
        keeper.wait("ImagePullBackOff", f'Back-off pulling image "{name}": ErrImagePull: {refused}')
    # Somebody may say meanwhile what the image means, or correct its name.
    until = loop.time() + pause_s
    while loop.time() < until and keeper.spec["image"] == name and not _is_known(keeper, name):
        await keeper.pod.sources_changed(min(LOOK_S, until - loop.time()))


def _is_known(keeper: Waiting, name: str) -> bool:
    with contextlib.suppress(pulling.Refused):
        keeper.pod.around.images.pull(name, keeper.spec.get("imagePullPolicy", "IfNotPresent"))
        return True
    return False
