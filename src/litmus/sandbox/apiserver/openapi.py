"""``/openapi/v2`` and ``/openapi/v3``: what all objects look like, for validation and ``kubectl explain``.

Source: the documentation "Kubernetes API", "OpenAPI specification". Each answer has an ETag, so who has it gets 304.
"""

import hashlib

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, negotiation
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.negotiation import JSON
from litmus.sandbox.machinery.schemas import openapi_protobuf


def respond(call: Call, parts: list[str]) -> Response | None:
    """``parts`` of the path; None for one that is no document. Raises Refusal 404 and 406."""
    match parts[1:]:
        case ["v2"]:
            return _v2(call)
        case ["v3"]:
            return _answer(call, call.services.documents.index(), JSON)
        case ["v3", "api", version]:
            return _answer(call, call.services.documents.v3("", version), JSON)
        case ["v3", "apis", group, version]:
            return _answer(call, call.services.documents.v3(group, version), JSON)
    return None


def _v2(call: Call) -> Response:
    header = call.headers.get("accept", "")
    for media_type in openapi_protobuf.MEDIA_TYPES:
        if media_type in header:
            return _answer(call, call.services.documents.v2_protobuf(), "application/octet-stream")
    negotiation.negotiate(header)
    return _answer(call, call.services.documents.v2(), JSON)


def _answer(call: Call, body: bytes, media_type: str) -> Response:
    tag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
    unchanged = call.headers.get("if-none-match") == tag
    answer = Response(b"" if unchanged else body, 304 if unchanged else 200, media_type=media_type)
    answers.finish(answer)
    answer.headers["etag"], answer.headers["vary"] = tag, "Accept"
    return answer
