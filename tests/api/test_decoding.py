"""What a cluster sends is read leniently, and what we write says everything that people look for."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus import api
from litmus.api.meta import ObjectMeta
from tests import samples

NEWER = {"fieldOf2030": {"a": [1, 2]}}


def test_unknown_fields_of_a_newer_release_are_ignored_at_every_depth():
    manifest = samples.engine(**NEWER)
    manifest |= NEWER
    manifest["metadata"] |= NEWER | {"managedFields": [{"manager": "kubectl"}]}
    manifest["spec"]["appinfo"] |= NEWER
    manifest["spec"]["experiments"][0] |= NEWER
    manifest["status"] = {"engineStatus": "initialized", "experiments": [{"name": "pod-delete", **NEWER}], **NEWER}
    engine = msgspec.convert(manifest, api.ChaosEngine)
    assert engine.spec.appinfo.applabel == "app=web"
    assert engine.status.experiments[0].verdict == "N/A"


def test_an_engine_needs_nothing_but_its_experiments():
    engine = msgspec.convert({"spec": {"experiments": [{"name": "pod-delete"}]}}, api.ChaosEngine)
    assert engine.active
    assert engine.spec.annotation_check == "true"
    assert engine.spec.experiments[0].spec.components.status_check_timeouts.timeout == 180
    assert engine.status.engine_status == ""


@pytest.mark.parametrize(("state", "active"), [("active", True), ("", True), ("stop", False)])
def test_an_engine_is_active_unless_somebody_stopped_it(state, active):
    assert samples.an_engine(engineState=state).active is active


def test_a_result_of_1_10_is_read():
    result = msgspec.convert(
        {
            "metadata": {"name": "nginx-chaos-pod-delete"},
            "spec": {"engine": "nginx-chaos", "experiment": "pod-delete"},
            "status": {
                "experimentstatus": {
                    "failStep": "N/A",
                    "phase": "Completed",
                    "verdict": "Pass",
                    "probeSuccessPercentage": "100",
                }
            },
        },
        api.ChaosResult,
    )
    assert result.status.experimentstatus.verdict == "Pass"
    assert result.status.faults == []
    assert result.status.history == api.result.History()


@pytest.mark.parametrize(
    ("state", "is_open"),
    [("planned", True), ("injected", True), ("proven", True), ("reverted", False), ("moot", False), ("lost", False)],
)
def test_a_fault_is_open_until_it_is_undone_moot_or_lost(state, is_open):
    fault = api.Fault(id="a", mechanism="kill", undo={"kind": "none"}, deadline="2026-01-01T00:00:00Z", state=state)
    assert fault.open is is_open


def test_a_struct_in_its_plain_form_shows_its_defaults_and_hides_what_is_absent():
    assert api.plain(api.result.Run(engine_uid="u")) == {
        "engineUid": "u",
        "number": 0,
        "pod": "",
        "step": "",
    }


@given(
    st.builds(
        api.Fault,
        id=st.text(),
        mechanism=st.text(),
        node=st.text(),
        targets=st.lists(st.builds(api.FaultTarget, name=st.text(), uid=st.text()), max_size=3),
        undo=st.dictionaries(st.text(), st.text() | st.integers() | st.booleans(), max_size=3),
        deadline=st.text(),
        state=st.sampled_from(["planned", "injected", "proven", "reverted", "moot", "lost"]),
        message=st.text(),
        updated_at=st.none() | st.text(),
    )
)
def test_a_record_of_the_ledger_survives_being_written_and_read(fault):
    sent = msgspec.json.decode(msgspec.json.encode(api.plain(fault)))
    assert msgspec.convert(sent, api.Fault) == fault


def test_what_the_cluster_gave_us_is_not_changed_by_accident():
    with pytest.raises(AttributeError):
        ObjectMeta().name = "x"
