"""Names of images mean what registries and Docker make of them."""

import pytest

from litmus.sandbox.images import reference


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.25", "docker.io/library/nginx:1.25"),
        ("litmus-py/litmus:dev", "docker.io/litmus-py/litmus:dev"),
        ("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"),
        ("localhost/x", "localhost/x:latest"),
        ("127.0.0.1:5000/nginx", "127.0.0.1:5000/nginx:latest"),
        ("host:5000/a/b:v1", "host:5000/a/b:v1"),
        ("nginx@sha256:" + "a" * 64, "docker.io/library/nginx@sha256:" + "a" * 64),
    ],
)
def test_a_short_name_is_short_for_a_full_one(text: str, full: str) -> None:
    assert str(reference.parse(text)) == full


@pytest.mark.parametrize("text", ["", "a b", "x:", "http://nginx", "-nginx", "nginx:la:test", "a//b"])
def test_what_no_registry_could_hold_is_refused(text: str) -> None:
    with pytest.raises(reference.Invalid, match=r"^invalid reference format$"):
        reference.parse(text)


def test_a_capital_letter_is_named_as_the_mistake() -> None:
    with pytest.raises(reference.Invalid, match=r"^invalid reference format: repository name must be lowercase$"):
        reference.parse("Not_A:valid")
