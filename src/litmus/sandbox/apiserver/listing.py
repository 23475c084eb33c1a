"""Lists: which objects a request means, and how fresh they must be.

Source: the documentation "Efficient detection of changes", "Resource versions" and "Field Selectors". We hold the
latest state only, so an exact older resourceVersion is 410 as soon as something of the kind has changed since.
"""

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, definitions, query
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.selectors import Selector, fields, labels
from litmus.sandbox.machinery.status import Refusal

_TOO_OLD = "The resourceVersion for the provided list is too old."


def selectors(call: Call, asked: query.ListOptions) -> tuple[Selector | None, Selector | None]:
    """By label and by field, None for everything. Raises Refusal 400."""
    resource = call.known
    by_label = labels.parse(asked.labels) if asked.labels else None
    text = asked.fields
    if call.info.name:  # the old path /watch/namespaces/<ns>/<resource>/<name>
        text = ",".join(filter(None, (text, f"metadata.name={call.info.name}")))
    selectable = definitions.selectable_fields(call.registry.store, resource) if text and resource.custom else ()
    return by_label, fields.parse(text, resource, selectable=selectable) if text else None


def check_revision(call: Call, revision: int) -> None:
    """Raises Refusal 504 for a revision that has not been yet."""
    if revision > call.registry.store.revision:
        message = f"Timeout: Too large resource version: {revision}, current: {call.registry.store.revision}"
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        raise Refusal(504, "Timeout", message, causes=causes, retryAfterSeconds=1)


def respond(call: Call) -> Response:
    """Answers a list. Raises Refusal 400, 406, 410, 422 and 504."""
    asked = query.listing(call.query, watch=False)
    by_label, by_field = selectors(call, asked)
    if asked.revision is not None:
        check_revision(call, asked.revision)
        if asked.match == "Exact" and _changed(call, asked.revision):
            raise status.expired(_TOO_OLD)
    found = call.registry.list(
        call.known,
        namespace=call.key.namespace,
        labels=by_label,
        fields=by_field,
        limit=asked.limit,
        continue_=asked.continue_,
    )
    return answers.many(call, found)


def _changed(call: Call, revision: int) -> bool:
    store = call.registry.store
    return not store.remembers(revision) or bool(store.since(call.known.storage, revision))
