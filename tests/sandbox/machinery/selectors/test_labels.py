"""Texts and answers are those of a real server (1.20), with the wording of newer ones for invalid keys and values."""

import pytest

from litmus.sandbox.machinery import selectors, status
from litmus.sandbox.machinery.selectors import labels

APP = {"app": "web", "tier": "front", "count": "7", "empty": ""}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app=api", False),
        ("app!=api", True),
        ("app!=web", False),
        ("missing!=x", True),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("!app", False),
        ("app in (web,api)", True),
        ("app in(web)", True),
        ("app in ()", False),
        ("empty in ()", True),
        ("empty in (x,)", True),
        ("empty in (,x)", True),
        ("empty in (x,,y)", True),
        ("empty in (x,y)", False),
        ("app notin (web)", False),
        ("missing notin (web)", True),
        ("missing in (web)", False),
        ("empty=", True),
        ("empty==", True),
        ("app=", False),
        ("count>6", True),
        ("count>7", False),
        ("count<8", True),
        ("app>1", False),
        ("missing<1", False),
        ("app=web,tier=front", True),
        ("app=web,tier=back", False),
        (" app = web , tier in ( front , back ) ", True),
        ("in", False),
        ("notin in (in)", False),
    ],
)
def test_a_selector_means_what_it_means_in_kubernetes(text: str, selected: bool) -> None:
    assert labels.parse(text).matches({"metadata": {"labels": APP}}) is selected
    assert labels.parse(text).matches_labels(APP) is selected


NAME_FORM = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE_FORM = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("a in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'"),
        ("a in (b,,", "unable to parse requirement: found '', expected: ',', or identifier"),
        ("a in (,!", "unable to parse requirement: found '!', expected: ',', or identifier"),
        ("a in (!", "unable to parse requirement: found '!', expected: ',', ')' or identifier"),
        ("a in (x!", "unable to parse requirement: found '!', expected: ',' or ')'"),
        ("a,,b", "found ',', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("=b", "found '=', expected: !, identifier, or 'end of string'"),
        ("(a)", "found '(', expected: !, identifier, or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a!b", "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("!!a", "unable to parse requirement: found '!', expected: identifier"),
        ("a=(b)", "unable to parse requirement: found '(', expected: identifier"),
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("a>=1", "unable to parse requirement: found '=', expected: identifier"),
        (
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, "
            "the value must be an integer",
        ),
        ("-a", f'unable to parse requirement: <nil>: Invalid value: "-a": {NAME_FORM}'),
        ("/a", 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'),
        (
            "a/=1",
            f'unable to parse requirement: <nil>: Invalid value: "a/": name part must be non-empty; {NAME_FORM}',
        ),
        ("a=-b", f'unable to parse requirement: values[0][a]: Invalid value: "-b": {VALUE_FORM}'),
        (
            f"a={'x' * 64}",
            f'unable to parse requirement: values[0][a]: Invalid value: "{"x" * 64}": must be no more than 63 bytes',
        ),
    ],
)
def test_a_text_that_is_no_selector_is_a_bad_request_in_the_words_of_the_server(text: str, message: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        labels.parse(text)
    assert (refused.value.code, refused.value.reason, refused.value.message) == (400, "BadRequest", message)


def test_a_selector_is_shown_sorted_by_key_with_its_values_sorted() -> None:
    assert str(labels.parse("b notin (y,x),a==1,!c,d,e!=2,f>3")) == "a==1,b notin (x,y),!c,d,e!=2,f>3"


def test_an_empty_label_selector_means_everything_and_none_means_nothing() -> None:
    assert selectors.from_label_selector({}).matches({})
    assert not selectors.from_label_selector(None).matches({})


def test_labels_and_expressions_of_a_label_selector_all_have_to_match() -> None:
    selector = selectors.from_label_selector(
        {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["front", "edge"]},
                {"key": "stage", "operator": "NotIn", "values": ["test"]},
                {"key": "old", "operator": "DoesNotExist"},
                {"key": "count", "operator": "Exists"},
            ],
        }
    )
    assert selector.matches_labels(APP)
    assert not selector.matches_labels({**APP, "old": "yes"})
    assert not selector.matches_labels({**APP, "tier": "back"})
    assert str(selector) == "app=web,count,!old,stage notin (test),tier in (edge,front)"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"key": "a", "operator": "Is"}, '"Is" is not a valid label selector operator'),
        (
            {"key": "a", "operator": "In", "values": []},
            "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["x"]},
            'values: Invalid value: ["x"]: values set must be empty for exists and does not exist',
        ),
    ],
)
def test_an_impossible_expression_is_refused(expression: dict[str, object], message: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        selectors.from_label_selector({"matchExpressions": [expression]})
    assert refused.value.message == message
