"""Which application an engine names, in the one form that the runner hands to an experiment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.api import targeting
from litmus.api.targeting import ANY_OWNER, POD, AppTarget
from tests import samples

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=12).filter(
    lambda word: word[0].isalnum() and word[-1].isalnum()
)
workloads = st.sampled_from(["deployment", "statefulset", "daemonset", "deploymentconfig", "rollout"])
kinds = st.just(ANY_OWNER) | workloads
some_words = st.lists(words, min_size=1, max_size=3).map(tuple)
requirements = (
    st.tuples(words, st.sampled_from(["=", "==", "!="]), words).map("".join)
    | st.tuples(words, st.sampled_from([" in ", " notin "]), some_words).map(
        lambda t: f"{t[0]}{t[1]}({','.join(t[2])})"
    )
    | words.map("!{}".format)
)
selectors = st.lists(requirements, min_size=1, max_size=3).map(",".join)
targets = (
    st.builds(AppTarget, kind=workloads, namespace=words, names=some_words)
    | st.builds(AppTarget, kind=kinds, namespace=words, labels=selectors)
    | st.builds(AppTarget, kind=kinds, namespace=words)
    | st.builds(AppTarget, kind=st.just(POD), namespace=words, names=some_words)
)


@given(st.lists(targets, min_size=1, max_size=4))
def test_targets_that_were_rendered_are_read_back_as_they_were(wanted):
    assert targeting.parse(targeting.render(wanted)) == wanted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deployment:shop:[app=web]", AppTarget(kind="deployment", namespace="shop", labels="app=web")),
        ("deployment:shop:[web, api]", AppTarget(kind="deployment", namespace="shop", names=("web", "api"))),
        ("pod:shop:[web-0,web-1]", AppTarget(kind=POD, namespace="shop", names=("web-0", "web-1"))),
        ("pod:shop:[a=b]", AppTarget(kind=POD, namespace="shop", names=("a=b",))),
        ("KIND:shop:[]", AppTarget(kind=ANY_OWNER, namespace="shop")),
        ("KIND:shop:[tier]", AppTarget(kind=ANY_OWNER, namespace="shop", labels="tier")),
        (":shop:[app=web]", AppTarget(kind=ANY_OWNER, namespace="shop", labels="app=web")),
        (
            " statefulset:shop:[tier in (db, cache),!old] ",
            AppTarget(kind="statefulset", namespace="shop", labels="tier in (db, cache),!old"),
        ),
    ],
)
def test_the_form_of_3_x_is_read(text, expected):
    assert targeting.parse(text) == [expected]


@pytest.mark.parametrize(
    "text", ["", "deployment", "deployment:shop", "deployment:shop:app=web", "a:b:[c];", "a:b:c:[d]"]
)
def test_what_has_not_that_form_is_refused_with_the_form(text):
    with pytest.raises(ValueError, match=r"is not of the form kind:namespace:\[names or labels\]"):
        targeting.parse(text)


def of_engine(**spec) -> list[AppTarget]:
    return targeting.of_engine(samples.an_engine(**spec).spec, namespace="engines-own")


@pytest.mark.parametrize(
    ("appinfo", "expected"),
    [
        (
            {"appns": "shop", "applabel": "app=web", "appkind": "deployment"},
            [AppTarget(kind="deployment", namespace="shop", labels="app=web")],
        ),
        ({"applabel": "app=web"}, [AppTarget(kind=ANY_OWNER, namespace="engines-own", labels="app=web")]),
        ({"appns": "shop"}, [AppTarget(kind=ANY_OWNER, namespace="shop")]),
        ({}, []),
    ],
)
def test_appinfo_names_one_application_in_the_engines_namespace_unless_another_is_given(appinfo, expected):
    assert of_engine(appinfo=appinfo) == expected


def test_selectors_name_several_applications_and_go_before_appinfo():
    selectors = {
        "workloads": [
            {"kind": "deployment", "namespace": "a", "names": "web, api"},
            {"kind": "statefulset", "namespace": "b", "labels": "app=db"},
        ],
        "pods": [{"namespace": "c", "names": "one,two"}],
    }
    assert of_engine(selectors=selectors) == [
        AppTarget(kind="deployment", namespace="a", names=("web", "api")),
        AppTarget(kind="statefulset", namespace="b", labels="app=db"),
        AppTarget(kind=POD, namespace="c", names=("one", "two")),
    ]


def test_auxiliary_applications_are_named_by_namespace_and_label():
    assert targeting.auxiliary("ns1:name=percona, ns2:run=nginx") == [
        AppTarget(kind=ANY_OWNER, namespace="ns1", labels="name=percona"),
        AppTarget(kind=ANY_OWNER, namespace="ns2", labels="run=nginx"),
    ]
    assert targeting.auxiliary("") == []


@pytest.mark.parametrize("text", ["name=percona", "ns1:", ":name=percona", "ns1:name=percona,run=nginx"])
def test_an_auxiliary_application_without_a_namespace_or_a_label_is_refused(text):
    with pytest.raises(ValueError, match="is not of the form namespace:label"):
        targeting.auxiliary(text)


@pytest.mark.parametrize(
    ("target", "words_"),
    [
        (
            AppTarget(kind="deployment", namespace="shop", labels="app=web"),
            "deployment with label app=web in namespace shop",
        ),
        (AppTarget(kind="deployment", namespace="shop", names=("a", "b")), "deployment a, b in namespace shop"),
        (AppTarget(kind=ANY_OWNER, namespace="shop"), "pods of any owner in namespace shop"),
        (AppTarget(kind=POD, namespace="shop", names=("web-0",)), "pod web-0 in namespace shop"),
    ],
)
def test_a_target_is_described_for_people(target, words_):
    assert target.describe() == words_
