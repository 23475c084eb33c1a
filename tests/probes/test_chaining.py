"""The output of one probe in the inputs of a later one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus import api
from litmus.api.probe import CmdProbe, Comparator, HttpMethod, HttpPost, HttpProbe
from litmus.probes import chaining
from litmus.probes.contract import ProbeError

PATH = "spec.experiments[0].spec.probe"
ONE = Comparator(type="int", criteria="==", value="1")


def cmd(name: str, command: str = "true", mode: str = "SOT") -> api.Probe:
    return api.Probe(name=name, type="cmdProbe", mode=mode, cmd=CmdProbe(command=command, comparator=ONE))


def command(text: str, **outputs: str) -> str:
    filled = chaining.filled(cmd("user", text), {name.replace("_", "-"): out for name, out in outputs.items()}).cmd
    assert filled is not None
    return filled.command


@pytest.mark.parametrize(
    "expression",
    [
        "{{ .first.ProbeArtifacts.Register }}",
        "{{.first.ProbeArtifacts.Register}}",
        "{{-  .first.ProbeArtifacts.Register  -}}",
        '{{ (index . "first").ProbeArtifacts.Register }}',
        "{{ (index . `first`).ProbeArtifacts.Register }}",
    ],
)
def test_an_expression_becomes_what_the_probe_saw(expression):
    assert command(f"get {expression} and {expression}", first="10.0.0.7") == "get 10.0.0.7 and 10.0.0.7"


@pytest.mark.parametrize(
    "expression", ['{{ (index . "my-probe").ProbeArtifacts.Register }}', "{{ .my-probe.ProbeArtifacts.Register }}"]
)
def test_a_name_may_have_a_dash(expression):
    assert command(expression, my_probe="42") == "42"


@given(st.text(max_size=20))
def test_an_output_is_filled_in_as_it_is(output):
    assert command("<{{ .first.ProbeArtifacts.Register }}>", first=output) == f"<{output}>"


@pytest.mark.parametrize(
    "text", ["kubectl get -o go-template='{{ .status.phase }}'", "{{", "{{}}", "{{ index .items 0 }}"]
)
def test_templates_that_are_not_about_probes_belong_to_the_command(text):
    assert command(text) == text
    assert list(chaining.mistakes([cmd("user", text)], path=PATH)) == []


def test_every_text_of_the_inputs_is_filled_in_but_the_comparator():
    expression = "{{ .first.ProbeArtifacts.Register }}"
    probe = api.Probe(
        name="user",
        type="httpProbe",
        mode="EOT",
        http=HttpProbe(
            url=f"http://{expression}",
            method=HttpMethod(post=HttpPost(body=expression, criteria="==", response_code="200")),
            response_body=Comparator(criteria="contains", value=expression),
        ),
    )
    http = chaining.filled(probe, {"first": "seen"}).http
    assert http is not None
    assert http.url == "http://seen"
    assert http.method is not None
    assert http.method.post is not None
    assert http.method.post.body == "seen"
    assert http.response_body is not None
    assert http.response_body.value == expression


def test_what_has_not_been_seen_yet_is_never_filled_in_as_nothing():
    with pytest.raises(ProbeError, match="the probe first has no output yet"):
        command("{{ .first.ProbeArtifacts.Register }}")


def test_a_name_that_no_probe_has_is_told_with_its_path():
    probes = [cmd("first"), cmd("user", "x {{ .frist.ProbeArtifacts.Register }}")]
    assert list(chaining.mistakes(probes, path=PATH)) == [
        f"{PATH}[1].cmdProbe/inputs.command: {{{{ .frist.ProbeArtifacts.Register }}}} names no probe of this "
        "experiment; did you mean first?"
    ]


@pytest.mark.parametrize(
    "wrong",
    ["{{ .first.ProbeArtifact.Register }}", "{{ .first.Register }}", "{{ first.ProbeArtifacts.Register | upper }}"],
)
def test_an_expression_that_means_a_probe_and_is_wrong_is_refused(wrong):
    (told,) = chaining.mistakes([cmd("first"), cmd("user", wrong)], path=PATH)
    assert "can't be read; the output of a probe is {{ .NAME.ProbeArtifacts.Register }}" in told


USES = "{{ .first.ProbeArtifacts.Register }}"


@pytest.mark.parametrize(
    ("source", "user", "fine"),
    [
        ("SOT", "SOT", True),
        ("SOT", "Edge", True),
        ("SOT", "Continuous", True),
        ("Edge", "OnChaos", True),
        ("Continuous", "OnChaos", False),
        ("Continuous", "SOT", False),
        ("Continuous", "EOT", True),
        ("OnChaos", "Continuous", False),
        ("OnChaos", "EOT", True),
        ("EOT", "SOT", False),
        ("EOT", "OnChaos", False),
        ("EOT", "EOT", True),
    ],
)
def test_an_output_must_be_there_when_it_is_needed(source, user, fine):
    told = list(chaining.mistakes([cmd("first", mode=source), cmd("user", USES, mode=user)], path=PATH))
    assert not told if fine else "is not there yet" in told[0]


def test_the_order_of_the_engine_counts_among_probes_of_one_phase():
    (told,) = chaining.mistakes([cmd("user", USES), cmd("first")], path=PATH)
    assert told.endswith("is not there yet: list first before user")
    assert not list(chaining.mistakes([cmd("user", USES, mode="EOT"), cmd("first")], path=PATH))


def test_a_probe_can_not_use_its_own_output():
    assert list(chaining.mistakes([cmd("first", USES)], path=PATH))
