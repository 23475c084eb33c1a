"""cmdProbe inline: real commands of the shell, their outputs, their ends and what they leave behind."""

import asyncio
import os
import shlex
from pathlib import Path

import pytest

from litmus import api
from litmus.api.probe import CmdProbe, Comparator, Probe
from litmus.probes import command, shell
from litmus.probes.contract import ProbeError, Surroundings

ENGINE = api.ChaosEngine(
    metadata=api.ObjectMeta(name="chaos", namespace="shop", uid="u"),
    spec=api.EngineSpec(experiments=[api.EngineExperiment(name="pod-delete")]),
)
HERE = Surroundings(cluster=None, engine=ENGINE, experiment="pod-delete")


def probe(line: str, *, kind="string", criteria="equal", value="hello", source=None) -> Probe:
    comparator = Comparator(type=kind, criteria=criteria, value=value)
    return Probe(
        name="cmd", type="cmdProbe", mode="SOT", cmd=CmdProbe(command=line, comparator=comparator, source=source)
    )


async def asked(line: str, *, timeout_s: float = 60.0, **comparator):
    return await command.prober(probe(line, **comparator), HERE).once(timeout_s=timeout_s)


async def test_the_output_is_compared_without_the_blanks_around_it_and_is_there_for_others():
    seen = await asked("echo; echo '  hello  '")
    assert (seen.passed, seen.observed, seen.output) == (True, "'hello'", "hello")
    assert seen.expected == "string equal 'hello'"


async def test_another_output_fails():
    seen = await asked("echo goodbye")
    assert (seen.passed, seen.error, seen.observed) == (False, "wrong-output", "'goodbye'")


async def test_it_is_a_line_of_the_shell():
    assert (await asked("printf '%s\\n' a b c | wc -l", kind="int", criteria=">=", value="3")).passed


async def test_the_standard_error_is_not_compared():
    assert (await asked("echo noise >&2; echo hello")).passed


@pytest.mark.parametrize(
    ("line", "observed"),
    [
        ("echo hello; echo one >&2; echo 'two: no such thing' >&2; exit 3", "exit status 3: two: no such thing"),
        ("echo hello; false", "exit status 1"),
        ("kill -TERM $$", "exit status -15"),
    ],
)
async def test_a_command_that_fails_fails_whatever_it_printed(line, observed):
    seen = await asked(line)
    assert (seen.passed, seen.error, seen.observed) == (False, "exit-status", observed)
    assert seen.expected == "exit status 0 and string equal 'hello'"


async def test_a_command_that_does_not_exist_is_told_in_the_words_of_the_shell():
    seen = await asked("no-such-command-at-all")
    assert not seen.passed
    assert "exit status 127" in seen.observed
    assert "not found" in seen.observed


async def test_what_is_not_utf8_is_no_crash():
    seen = await asked(r"printf 'a\377b'", value="a\N{REPLACEMENT CHARACTER}b")
    assert seen.passed


async def test_an_output_without_end_is_kept_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(shell, "LARGEST", 1000)
    seen = await asked("head -c 3000000 /dev/zero | tr '\\0' x", criteria="matches", value="^x{1000}$")
    assert seen.passed
    assert len(seen.observed) < 300


async def test_a_text_that_is_no_number_can_not_be_compared_as_one():
    with pytest.raises(ProbeError, match="is no whole number"):
        await asked("echo many", kind="int", criteria=">=", value="3")


async def gone(pid: int) -> None:
    """Returns when no such process runs any more: SIGKILL takes effect when the kernel comes round to it."""
    stat = Path(f"/proc/{pid}/stat")
    async with asyncio.timeout(60):
        while True:
            try:
                if stat.read_text().rpartition(")")[2].split()[0] in "ZX":
                    return
            except OSError:
                return
            await asyncio.sleep(0.01)


async def test_at_the_timeout_the_whole_group_is_killed(tmp_path):
    file = tmp_path / "pids"
    quoted = shlex.quote(str(file))
    line = f"sleep 1000 & echo $$ $! >{quoted}; echo hello; wait"
    seen = await asked(line, timeout_s=2.0)
    assert (seen.passed, seen.error, seen.observed) == (False, "timeout", "no end within 2 s")
    for pid in file.read_text().split():
        await gone(int(pid))


async def test_what_a_command_leaves_in_the_background_goes_with_it(tmp_path):
    file = tmp_path / "pid"
    seen = await asked(f"sleep 1000 & echo $! >{shlex.quote(str(file))}; echo hello")
    assert seen.passed
    await gone(int(file.read_text()))


async def test_a_daemon_that_left_the_group_does_not_hold_up_the_probe(tmp_path):
    file = tmp_path / "pid"
    line = f"setsid sh -c 'echo $$ >{shlex.quote(str(file))}.part; mv {file}.part {file}; sleep 1000' & "
    line += f"while [ ! -e {file} ]; do sleep 0.05; done; echo hello"
    try:
        assert (await asked(line)).passed
    finally:
        os.kill(int(file.read_text()), 9)


async def test_an_abort_kills_the_command(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    line = f"echo $$ >{shlex.quote(str(tmp_path / 'fifo'))}; sleep 1000"
    asking = asyncio.create_task(asked(line))
    pid = int(await asyncio.to_thread((tmp_path / "fifo").read_text))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await gone(pid)


@pytest.mark.parametrize("source", [None, "", "inline", {}])
def test_without_a_source_it_runs_inline(source):
    assert command.check(probe("echo", source=source)) == []
    assert isinstance(command.prober(probe("echo", source=source), HERE), command.Inline)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"line": "  "}, "cmdProbe/inputs.command: '  ' does nothing"),
        ({"line": "a\0b"}, "cmdProbe/inputs.command: holds a NUL character"),
        ({"criteria": "equals"}, "cmdProbe/inputs.comparator.criteria: 'equals' is not known for string"),
        ({"kind": "int", "criteria": "<", "value": "x"}, "cmdProbe/inputs.comparator.value: 'x' is no whole number"),
        ({"source": "two words"}, "cmdProbe/inputs.source: 'two words' is no image; write one, or inline"),
        ({"source": 7}, "cmdProbe/inputs.source: 7 must be inline, the name of an image, or an object"),
        ({"source": {"env": []}}, "cmdProbe/inputs.source: image is missing"),
        ({"source": {"image": ""}}, "cmdProbe/inputs.source.image: must not be empty"),
        ({"source": {"image": "a", "imagePolicy": "x"}}, "cmdProbe/inputs.source.imagePolicy: unknown field"),
        ({"source": {"image": "a", "hostNetwork": "yes"}}, "cmdProbe/inputs.source.hostNetwork: 'yes' must be a bool"),
        ({"source": {"image": "a", "args": ["x", 1]}}, "cmdProbe/inputs.source.args[1]: 1 must be text"),
        ({"source": {"image": "a", "env": [{"value": "x"}]}}, "cmdProbe/inputs.source.env[0]: name is missing"),
        (
            {"source": {"image": "a", "imagePullPolicy": "Allways"}},
            "imagePullPolicy: 'Allways' is not one of Always, IfNotPresent, Never; did you mean Always?",
        ),
    ],
)
def test_wrong_inputs_are_told_with_path_value_and_remedy(more, sentence):
    (said,) = command.check(probe(**{"line": "echo", **more}))
    assert sentence in said
    with pytest.raises(ProbeError):
        command.prober(probe(**{"line": "echo", **more}), HERE)


def test_inputs_that_are_missing_are_told():
    assert "cmdProbe/inputs: missing" in command.check(Probe(name="cmd", type="cmdProbe", mode="SOT"))[0]
