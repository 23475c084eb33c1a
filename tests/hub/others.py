"""Hubs that others could have written, for the tests: in both layouts, small, and without a mistake."""

import struct
import textwrap
import zlib
from pathlib import Path

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="3" fill="#c30"/></svg>\n'

METADATA = """\
apiVersion: litmuchaos.io/v1alpha1
kind: ChartServiceVersion
metadata:
  createdAt: 2021-03-04T05:06:07Z
  name: {name}
  version: 0.2.1
  annotations:
    categories: Queues
spec:
  displayName: {title}
  categoryDescription: |
    Stops {name}.
    - and looks what happens
  {members}
  keywords:
    - Queue
    - "  "
  platforms:
    - Minikube
  maturity: alpha
  maintainers:
    - name: Ada
      email: ada@example.com
  minKubeVersion: 1.20
  provider:
    name: Example
  links:
    - name: Docs
      url: https://example.com/docs
  icon:
    - url:
      mediatype: ""
"""

EXPERIMENT = """\
apiVersion: litmuschaos.io/v1alpha1
description:
  message: |
    Stops a broker
kind: ChaosExperiment
metadata:
  name: {name}
  version: 0.2.1
spec:
  definition:
    scope: Cluster
    permissions:
      # Find the broker
      - apiGroups: [""]
        resources: [pods]
        verbs: [get, list]
    image: "example/queue-chaos:1"
    imagePullPolicy: Always
    args: ["-c", "./stop"]
    command: ["/bin/bash"]
    env:
      - name: TOTAL_CHAOS_DURATION
        value: '15'

      # which broker,
      # by its number
      - name: BROKER
        value: ''
    hostPID: true
    labels:
      name: {name}
"""

ENGINE = """\
apiVersion: litmuschaos.io/v1alpha1
kind: ChaosEngine
metadata:
  name: queue-chaos
  namespace: default
spec:
  annotationCheck: 'true'
  engineState: 'active'
  appinfo:
    appns: 'default'
    applabel: 'app=queue'
    appkind: 'statefulset'
  chaosServiceAccount: {name}-sa
  components:
  experiments:
    - name: {name}
      spec:
        components:
          env:
            - name: TOTAL_CHAOS_DURATION
              value: '15'
"""

RBAC = """\
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}-sa
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {name}-sa
rules:
- apiGroups: [""]
  resources: ["pods"]
  verbs: ["get","list"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {name}-sa
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {name}-sa
subjects:
- kind: ServiceAccount
  name: {name}-sa
"""


def png(width: int = 2, height: int = 2) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    pixels = zlib.compress(b"\x00" + b"\x80" * 16)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def of_1_10(*names: str, group: str = "queues") -> dict[str, str | bytes]:
    """The files of a hub in the layout of 1.10."""
    top = f"charts/{group}"
    files: dict[str, str | bytes] = {
        f"{top}/{group}.chartserviceversion.yaml": _metadata(group, "Queues", f"experiments: [{', '.join(names)}]"),
        f"{top}/{group}.package.yaml": _package(group, "experiments", names),
        f"{top}/experiments.yaml": "---\n".join(EXPERIMENT.format(name=name) for name in names),
        f"{top}/icons/{group}.svg": SVG,
    }
    for name in names:
        files |= {
            f"{top}/{name}/{name}.chartserviceversion.yaml": _metadata(name, f"Title of {name}", ""),
            f"{top}/{name}/experiment.yaml": EXPERIMENT.format(name=name),
            f"{top}/{name}/engine.yaml": ENGINE.format(name=name),
            f"{top}/{name}/rbac.yaml": RBAC.format(name=name),
            f"{top}/icons/{name}.png": png(),
        }
    return files


def of_3(*names: str, group: str = "queues") -> dict[str, str | bytes]:
    """The files of a hub in the layout of 3.x: no roles."""
    top = f"faults/{group}"
    listed = "".join(f"\n    - name: {name}\n      displayName: {name}\n      description: x" for name in names)
    files: dict[str, str | bytes] = {
        f"{top}/{group}.chartserviceversion.yaml": _metadata(group, "Queues", f"faults:{listed}"),
        f"{top}/{group}.package.yaml": _package(group, "faults", names),
    }
    for name in names:
        files |= {
            f"{top}/{name}/{name}.chartserviceversion.yaml": _metadata(name, f"Title of {name}", ""),
            f"{top}/{name}/fault.yaml": EXPERIMENT.format(name=name),
            f"{top}/{name}/engine.yaml": ENGINE.format(name=name),
        }
    return files


def _metadata(name: str, title: str, members: str) -> str:
    return METADATA.format(name=name, title=title, members=members)


def _package(group: str, field: str, names: tuple[str, ...]) -> str:
    entries = "".join(
        textwrap.dedent(f"""\
          - name: {name}
            CSV: {name}.chartserviceversion.yaml
            desc: "{name}"
        """)
        for name in names
    )
    return f"packageName: {group}\n{field}:\n{entries}"
