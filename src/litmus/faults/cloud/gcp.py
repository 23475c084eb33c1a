"""Persistent disks by the Compute Engine API (REST reference v1: disks.get, instances.get, attachDisk, detachDisk).

``google-auth`` logs in - a service account's key file, else what the environment offers, such as the workload identity
of a pod - and signs; the five calls are plain REST, for which ``google-cloud-compute`` would bring gRPC along.
"""

import json
import time
import urllib.parse
from pathlib import Path
from typing import Any

import google.auth
import google.auth.transport.urllib3
import urllib3
from google.auth import exceptions
from google.oauth2 import service_account

from ..contract import FaultError
from .disk import POLL_S, SETTLE_S, Disk, Place

_ENDPOINT = "https://compute.googleapis.com/compute/v1/"
_SCOPE = "https://www.googleapis.com/auth/compute"
# What attaching would set anew (REST resource Instance, field disks[]).
_OPTIONS = ("source", "deviceName", "mode", "interface", "autoDelete")
_RUNS = ("PROVISIONING", "STAGING", "RUNNING", "STOPPING", "STOPPED", "TERMINATED", "SUSPENDING", "SUSPENDED")


class Compute:
    """The disks and machines of one zone of one project."""

    def __init__(self, place: Place) -> None:
        self._zone = f"projects/{place.project}/zones/{place.zone}"
        self._endpoint = (place.endpoint or _ENDPOINT).rstrip("/") + "/"
        pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=20), retries=urllib3.Retry(2, redirect=0))
        credentials = _log_in(place.credentials)
        self._http = google.auth.transport.urllib3.AuthorizedHttp(credentials, http=pool)  # type: ignore[no-untyped-call]  # it has no types

    def look(self, volume: str, instance: str) -> Disk:
        disk = self._get(f"disks/{_quoted(volume)}")
        if disk is None or disk.get("status") == "DELETING":
            return Disk(volume=volume, state="gone")
        users = [str(user).rpartition("/")[2] for user in disk.get("users", [])]
        if not users:
            return Disk(volume=volume, state="available")
        holder = instance if instance in users else users[0]
        machine = self._get(f"instances/{_quoted(holder)}") or {}
        attached = next((d for d in machine.get("disks", []) if _same(d.get("source"), disk.get("selfLink"))), None)
        if attached is None:
            return Disk(volume=volume, state="detaching", instance=holder)
        return Disk(
            volume=volume,
            state="attached",
            instance=holder,
            device=str(attached.get("deviceName", "")),
            boot=bool(attached.get("boot")),
            options={name: attached[name] for name in _OPTIONS if name in attached},
        )

    def has(self, instance: str) -> bool:
        machine = self._get(f"instances/{_quoted(instance)}")
        return machine is not None and machine.get("status") in _RUNS

    def detach(self, disk: Disk) -> None:
        device = urllib.parse.urlencode({"deviceName": disk.device})
        self._change(f"instances/{_quoted(disk.instance)}/detachDisk?{device}", None)

    def attach(self, disk: Disk) -> None:
        self._change(f"instances/{_quoted(disk.instance)}/attachDisk", dict(disk.options))

    def _change(self, path: str, body: dict[str, Any] | None) -> None:
        """Posts, and follows the operation to its end, because only that says why it failed."""
        operation = self._asked("POST", path, body)
        give_up = time.monotonic() + SETTLE_S
        while operation.get("status") != "DONE":
            if time.monotonic() > give_up:
                raise FaultError(f"Google Cloud did not finish {path.partition('?')[0]} within {SETTLE_S:g} s")
            time.sleep(POLL_S)
            operation = self._asked("GET", f"operations/{_quoted(operation['name'])}")
        if failures := operation.get("error", {}).get("errors"):
            raise FaultError(f"Google Cloud: {failures[0].get('code')}: {failures[0].get('message')}")

    def _get(self, path: str) -> dict[str, Any] | None:
        try:
            return self._asked("GET", path)
        except _NotFound:
            return None

    def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        try:
            answer = self._http.request(
                method,
                f"{self._endpoint}{self._zone}/{path}",
                body=data,
                headers={"Content-Type": "application/json"},
            )
        except (exceptions.GoogleAuthError, urllib3.exceptions.HTTPError) as error:
            raise FaultError(f"Google Cloud can't be asked: {error}") from error
        try:
            said: dict[str, Any] = json.loads(answer.data)
        except ValueError:
            said = {}
        if answer.status == 404:
            raise _NotFound(f"Google Cloud knows no {path}")
        if answer.status >= 300:
            message = said.get("error", {}).get("message", "")
            raise FaultError(f"Google Cloud refuses {method} {path}: {answer.status} {message}")
        return said


class _NotFound(FaultError):
    pass


def _log_in(path: str) -> Any:
    try:
        if Path(path).is_file():
            return service_account.Credentials.from_service_account_file(path, scopes=[_SCOPE])  # type: ignore[no-untyped-call]  # it has no types
        return google.auth.default(scopes=[_SCOPE])[0]
    except exceptions.DefaultCredentialsError as error:
        raise FaultError(
            "there are no credentials for Google Cloud; create the Secret cloud-secret with a service account's key as "
            "cloud_config.yml"
        ) from error
    except (exceptions.GoogleAuthError, ValueError) as error:
        raise FaultError(f"{path} is no service account's key: {error}") from error


def _same(one: object, other: object) -> bool:
    """Whether two URLs name one disk: hosts differ between answers, the path from ``projects/`` on does not."""
    return str(one).partition("/projects/")[2] == str(other).partition("/projects/")[2] != ""


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")
