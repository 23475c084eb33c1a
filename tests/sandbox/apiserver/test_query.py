import pytest
from starlette.datastructures import QueryParams

from litmus.sandbox.apiserver import query
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.status import Refusal

USER = User(name="u")


def listing(text: str, *, watch: bool = False) -> query.ListOptions:
    return query.listing(QueryParams(text), watch=watch)


def writing(text: str, kind: str = "CreateOptions", *, apply: bool = False) -> query.Options:
    return query.writing(QueryParams(text), kind=kind, user=USER, user_agent="kubectl/v1.37", apply=apply)


def deletion(body: dict[str, object], text: str = "") -> query.DeleteOptions:
    return query.deletion(body, QueryParams(text), user=USER, user_agent="test")


# Golden: a real server's messages.
@pytest.mark.parametrize(
    ("text", "watch", "code", "message"),
    [
        ("limit=x", False, 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            "resourceVersion=foo",
            False,
            500,
            'resourceVersion: Invalid value: "foo": strconv.ParseUint: parsing "foo": invalid syntax',
        ),
        (
            "resourceVersionMatch=Exact",
            False,
            422,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "resourceVersionMatch=Foo&resourceVersion=1",
            False,
            422,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Foo": '
            'supported values: "Exact", "NotOlderThan", ""',
        ),
        (
            "resourceVersionMatch=Exact&resourceVersion=0",
            False,
            422,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
            'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            "continue=x&resourceVersion=5",
            False,
            400,
            "invalid continue token: continue key is not valid: illegal base64 data at input byte 0",
        ),
        (
            "sendInitialEvents=true",
            True,
            422,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
    ],
)
def test_bad_parameters_of_a_list_are_refused(text, watch, code, message):
    with pytest.raises(Refusal) as caught:
        listing(text, watch=watch)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_the_parameters_of_a_list():
    found = listing("limit=5&continue=abc&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&timeoutSeconds=7")
    assert (found.limit, found.continue_, found.labels, found.fields, found.timeout_s) == (
        5, "abc", "a=b", "metadata.name=x", 7
    )  # fmt: skip
    assert found.revision is None


def test_a_negative_limit_is_none():
    assert listing("limit=-1").limit == 0


def test_initial_events_may_be_asked_for():
    found = listing("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", watch=True)
    assert (found.initial_events, found.bookmarks) == (True, True)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "dryRun=foo",
            "CreateOptions",
            'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"foo"}: '
            'supported values: "All"',
        ),
        (
            "force=true",
            "PatchOptions",
            'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
        ),
    ],
)
def test_bad_options_of_a_write_are_refused(text, kind, message):
    with pytest.raises(Refusal) as caught:
        writing(text, kind)
    assert (caught.value.code, caught.value.message) == (422, message)


def test_apply_needs_a_manager():
    with pytest.raises(Refusal, match="fieldManager: Required value: is required for apply patch"):
        writing("", "PatchOptions", apply=True)


def test_the_manager_is_the_program_unless_it_says_otherwise():
    assert writing("").manager == "kubectl"
    assert writing("fieldManager=me").manager == "me"


@pytest.mark.parametrize("manager", ["x" * 129, "a%07b"])
def test_a_manager_is_short_and_printable(manager):
    with pytest.raises(Refusal, match="fieldManager"):
        writing(f"fieldManager={manager}")


def test_field_validation_is_one_of_three():
    assert writing("fieldValidation=Strict").field_validation == "Strict"
    with pytest.raises(Refusal, match='fieldValidation: Unsupported value: "Never"'):
        writing("fieldValidation=Never")


def test_the_body_of_a_delete_goes_before_the_query():
    found = deletion({"kind": "DeleteOptions", "gracePeriodSeconds": 3}, "gracePeriodSeconds=9&dryRun=All")
    assert (found.grace_s, found.dry_run) == (3, False)


def test_a_delete_without_a_body_is_told_by_the_query():
    found = deletion({}, "gracePeriodSeconds=9&dryRun=All&propagationPolicy=Orphan")
    assert (found.grace_s, found.dry_run, found.propagation) == (9, True, "Orphan")


@pytest.mark.parametrize(("orphan", "policy"), [(True, "Orphan"), (False, "Background")])
def test_the_old_way_to_orphan_still_works(orphan, policy):
    assert deletion({"orphanDependents": orphan}).propagation == policy


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"orphanDependents": True, "propagationPolicy": "Background"},
            'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Background": '
            "orphanDependents and deletionPropagation cannot be both set",
        ),
        (
            {"propagationPolicy": "Nah"},
            'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Nah": '
            'supported values: "Foreground", "Background", "Orphan", "nil"',
        ),
        (
            {"dryRun": ["foo"]},
            'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"foo"}: '
            'supported values: "All"',
        ),
    ],
)
def test_bad_options_of_a_delete_are_refused(body, message):
    with pytest.raises(Refusal) as caught:
        deletion(body)
    assert (caught.value.code, caught.value.message) == (422, message)


def test_another_kind_is_no_options_of_a_delete():
    with pytest.raises(Refusal, match='no kind "ConfigMap" is registered for version "v1"') as caught:
        deletion({"kind": "ConfigMap", "apiVersion": "v1"})
    assert caught.value.code == 500


def test_preconditions_of_a_delete():
    found = deletion({"preconditions": {"uid": "u", "resourceVersion": "7"}})
    assert (found.uid, found.resource_version) == ("u", "7")
