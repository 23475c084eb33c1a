"""What the images of every sandbox bring along."""

import subprocess

import pytest

from litmus.sandbox.images import built_in


@pytest.mark.parametrize("name", ["busybox", "nginx", "python"])
@pytest.mark.parametrize(("words", "told"), [((), "web-0.db\n"), (("-s",), "web-0\n"), (("-i",), "127.9.1.2\n")])
def test_hostname_tells_the_pods_name_and_address(name: str, words: tuple[str, ...], told: str) -> None:
    command = built_in.images()[name].direct(["hostname", *words])
    env = {"LITMUS_SANDBOX_HOSTNAME": "web-0.db", "LITMUS_SANDBOX_IP": "127.9.1.2"}
    assert subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout == told
