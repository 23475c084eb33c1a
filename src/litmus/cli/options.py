"""Options that several commands share, each described once."""

import os
from typing import Annotated

from cyclopts import Parameter

from litmus.api import names
from litmus.hub import charts


def _is_namespace(_: object, name: str) -> None:
    if not charts.is_namespace(name):
        raise ValueError(f"{name!r} is no name of a namespace: small letters, digits and -, at most 63.")


def _is_namespace_if_any(unused: object, name: str) -> None:
    if name:
        _is_namespace(unused, name)


Kubeconfig = Annotated[
    str, Parameter(help="Kubeconfig file; else $KUBECONFIG, else ~/.kube/config.", show_default=False)
]
Context = Annotated[str, Parameter(help="Context of the kubeconfig; else its current one.", show_default=False)]
Namespace = Annotated[
    str, Parameter(name=["--namespace", "-n"], help="Namespace of the operator.", validator=_is_namespace)
]
WhereTo = Annotated[
    str,
    Parameter(
        name=["--namespace", "-n"],
        help="Namespace for what is installed; else that of the kubeconfig's context.",
        validator=_is_namespace_if_any,
        show_default=False,
    ),
]
WatchedNamespace = Annotated[
    str,
    Parameter(
        name=["--namespace", "-n"],
        help="Only this namespace; else all of the cluster.",
        validator=_is_namespace_if_any,
        show_default=False,
    ),
]
FilledIn = Annotated[
    str,
    Parameter(
        name=["--namespace", "-n"],
        help="Namespace to fill in; without it, kubectl apply -n decides.",
        validator=_is_namespace_if_any,
        show_default=False,
    ),
]
Image = Annotated[
    str, Parameter(help="Image of litmus; else $LITMUS_IMAGE, else that of this release.", show_default=False)
]

OPERATOR_NAMESPACE = names.OPERATOR_NAMESPACE


def image(given: str) -> str:
    """The image that was asked for."""
    return given or os.environ.get("LITMUS_IMAGE", "") or charts.DEFAULT_IMAGE
