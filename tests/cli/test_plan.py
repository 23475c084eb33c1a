"""What `litmus plan` prints: targets, what is done to them, how it is undone, on lines that fit a terminal."""

from litmus.cli import plan
from litmus.experiments import planning
from litmus.experiments.selection import Victim

PODS = tuple(Victim(kind="Pod", name=f"web-{n}", namespace="shop", uid=f"u{n}", node=f"node{n}") for n in range(3))
HIT = Victim(kind="Pod", name="web-1", namespace="shop", uid="u1", node="node1", asked="2000 ms ± 0 ms on eth0")


def shown(*, width: int = 80, **more: object) -> str:
    experiment = planning.ExperimentPlan(name="pod-network-latency", **more)
    made = planning.EnginePlan(engine="chaos", namespace="shop", application="none", experiments=[experiment])
    return "\n".join(plan.lines(made, width=width))


def test_a_target_is_shown_with_what_will_be_done_to_it():
    text = shown(candidates=PODS, first_round=(HIT,), undo="The queue is taken away.")
    assert "   hits 1 of 3 pods:\n     → web-1  on node1: 2000 ms ± 0 ms on eth0\n" in text
    assert "   undone: The queue is taken away." in text


def test_only_an_experiment_that_chooses_again_has_later_rounds():
    assert "later rounds" not in shown(candidates=PODS, first_round=(HIT,))
    again = shown(candidates=PODS, first_round=(HIT,), again=True)
    assert "   first round hits 1 of 3 pods:\n" in again
    assert "   later rounds may also hit:\n       web-0  on node0\n       web-2  on node2\n" in again


def test_a_node_is_shown_by_its_name_alone():
    node = Victim(kind="Node", name="node1", uid="n1", node="node1", asked="taint a=b:NoSchedule")
    assert "   hits 1 of 1 node:\n     → node1: taint a=b:NoSchedule\n" in shown(
        candidates=(node,), first_round=(node,)
    )


def test_what_runs_on_a_node_is_shown_as_hit_along_with_it():
    node = Victim(kind="Node", name="node1", uid="n1", node="node1")
    text = shown(candidates=(node,), first_round=(node, PODS[1]))
    assert "   hits 1 of 1 node:\n     → node1\n   and with it 1 pod:\n     → web-1  on node1\n" in text


def test_a_target_in_another_namespace_is_shown_with_it():
    node = Victim(kind="Node", name="node1", uid="n1", node="node1")
    guest = Victim(kind="Pod", name="bob", namespace="elsewhere", uid="b", node="node1")
    assert "     → elsewhere/bob  on node1\n" in shown(candidates=(node,), first_round=(node, guest))


def test_targets_of_several_kinds_are_called_targets():
    found = tuple(Victim(kind=kind, name="web", namespace="shop") for kind in ("Deployment", "Statefulset"))
    assert "   hits 2 of 2 targets:\n     → web\n     → web\n" in shown(candidates=found, first_round=found)


def test_long_lines_are_broken_between_words_and_indented():
    privileges = ("hostPID", "capability NET_ADMIN", "capability SYS_ADMIN", "hostPath /run/litmus")
    finding = planning.Finding("warns", "all 3 pods of deployment web are hit at once: it will be down for a while")
    text = shown(
        candidates=PODS,
        first_round=(HIT,),
        meant={"TOTAL_CHAOS_DURATION": "60", "NETWORK_LATENCY": "2000", "NETWORK_INTERFACE": "eth0", "JITTER": "0"},
        undo="The queueing disciplines of before come back, by the helper pod, the guardian or the operator.",
        privileges=privileges,
        findings=[finding],
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "   ! all 3 pods of deployment web are hit at once: it will be down for a while" in text
    assert "hostPID, capability NET_ADMIN,\n     capability SYS_ADMIN, hostPath /run/litmus" in text


def test_what_goes_to_a_program_keeps_a_sentence_on_its_line():
    undo = "a long sentence " * 20
    assert f"   undone: {undo.strip()}\n" in shown(width=10_000, candidates=PODS, first_round=(HIT,), undo=undo)
