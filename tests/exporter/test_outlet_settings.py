"""The settings of the outlets: what is read from where, and one sentence a mistake, without a secret in it."""

import argparse
from pathlib import Path

import pytest

from litmus.exporter.outlets import settings
from litmus.exporter.outlets.settings import Misused, read

KEY = "0123456789abcdef"


def test_without_any_setting_only_events_are_posted() -> None:
    assert read({}, {}) == settings.Settings(events=True)


def test_every_outlet_by_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    found = read(
        {},
        {
            "LITMUS_CLUSTER_NAME": "blue",
            "LITMUS_WINDOW_EVENTS": "false",
            "LITMUS_WEBHOOK_URL": "https://hooks.example/a?b=c",
            "LITMUS_WEBHOOK_KEY_FILE": str(tmp_path / "key"),
            "LITMUS_GRAFANA_URL": "https://grafana.example/g",
            "LITMUS_GRAFANA_TOKEN": "glsa_x",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20eA%3D%3D, x-tenant=a",
        },
    )
    assert (found.events, found.cluster) == (False, "blue")
    assert found.webhook == settings.Webhook(url="https://hooks.example/a?b=c", key=KEY.encode())
    assert found.grafana == settings.Grafana(url="https://grafana.example/g", token="glsa_x")
    assert found.otlp == settings.Otlp(
        url="http://collector:4318/v1/traces", headers={"authorization": "Basic eA==", "x-tenant": "a"}
    )


def test_a_flag_counts_more_than_its_variable() -> None:
    parser = argparse.ArgumentParser()
    settings.add_flags(parser)
    given = vars(parser.parse_args(["--no-events", "--webhook-url", "http://flag", "--otlp-endpoint", "http://flag"]))
    found = read(
        given,
        {
            "LITMUS_WINDOW_EVENTS": "yes",
            "LITMUS_WEBHOOK_URL": "http://variable",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://variable/traces",
        },
    )
    assert not found.events
    assert found.webhook == settings.Webhook(url="http://flag")
    assert found.otlp == settings.Otlp(url="http://flag/v1/traces")


def test_the_endpoint_of_traces_alone_is_taken_as_it_is() -> None:
    env = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a/x", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://b"}
    assert read({}, env).otlp == settings.Otlp(url="http://a/x")


def test_no_secret_is_in_what_settings_look_like() -> None:
    env = {
        "LITMUS_WEBHOOK_URL": "http://h/geheim",
        "LITMUS_WEBHOOK_KEY": "geheim-geheim-geheim",
        "LITMUS_GRAFANA_URL": "http://u:geheim@g",
        "LITMUS_GRAFANA_TOKEN": "geheim",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://u:geheim@o",
        "OTEL_EXPORTER_OTLP_HEADERS": "a=geheim",
    }
    assert "geheim" not in repr(read({}, env))


HOOK = {"LITMUS_WEBHOOK_URL": "http://h"}
GRAFANA = {"LITMUS_GRAFANA_URL": "http://g"}


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"LITMUS_WINDOW_EVENTS": "perhaps"}, "LITMUS_WINDOW_EVENTS is 'perhaps'; give true or false"),
        (
            {"LITMUS_WEBHOOK_URL": "hooks.example/geheim"},
            "LITMUS_WEBHOOK_URL is no address; give one that begins with http:// or https:// and names a host",
        ),
        (
            {"LITMUS_WEBHOOK_URL": "http://h:99999"},
            "LITMUS_WEBHOOK_URL is no address; give one that begins with http:// or https:// and names a host",
        ),
        (
            {"LITMUS_WEBHOOK_URL": "http://-ü-/"},
            "LITMUS_WEBHOOK_URL is no address; give one that begins with http:// or https:// and names a host",
        ),
        (
            {"LITMUS_WEBHOOK_KEY": KEY},
            "LITMUS_WEBHOOK_KEY is given, but no address to sign for; give --webhook-url or leave the key out",
        ),
        (
            {**HOOK, "LITMUS_WEBHOOK_KEY": "geheim"},
            "the key in LITMUS_WEBHOOK_KEY has 6 bytes; a signature needs at least 16",
        ),
        (
            {**HOOK, "LITMUS_WEBHOOK_KEY": KEY, "LITMUS_WEBHOOK_KEY_FILE": "/x"},
            "both LITMUS_WEBHOOK_KEY_FILE and LITMUS_WEBHOOK_KEY are given; leave one of them out",
        ),
        (
            {**HOOK, "LITMUS_WEBHOOK_KEY_FILE": "/no/such"},
            "LITMUS_WEBHOOK_KEY_FILE /no/such can't be read (No such file or directory); "
            "give a file that holds the secret",
        ),
        (
            {**HOOK, "LITMUS_WEBHOOK_KEY_FILE": "/dev/null"},
            "LITMUS_WEBHOOK_KEY_FILE /dev/null is empty; it must hold the secret alone",
        ),
        (
            {**HOOK, "LITMUS_WEBHOOK_KEY_FILE": "/dev/zero"},
            "LITMUS_WEBHOOK_KEY_FILE /dev/zero is too large; it must hold the secret alone",
        ),
        (
            GRAFANA,
            "LITMUS_GRAFANA_URL needs a token that may write annotations; "
            "give LITMUS_GRAFANA_TOKEN, or its file with --grafana-token-file",
        ),
        (
            {"LITMUS_GRAFANA_TOKEN": "geheim"},
            "LITMUS_GRAFANA_TOKEN is given, but no Grafana; give --grafana-url or leave the token out",
        ),
        (
            {**GRAFANA, "LITMUS_GRAFANA_TOKEN": "ge\nheim"},
            "the token of Grafana has characters that a header can't carry; it must be printable ASCII in one line",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "OTEL_EXPORTER_OTLP_HEADERS": "geheim"},
            "OTEL_EXPORTER_OTLP_HEADERS has an entry without a name or '='; write name=value, with commas between",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://o", "OTEL_EXPORTER_OTLP_HEADERS": "a=b%0Ageheim"},
            "the header 'a' of OTEL_EXPORTER_OTLP_HEADERS has characters that a header can't carry; "
            "it must be printable ASCII in one line",
        ),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_setting_and_the_remedy(env: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misused) as raised:
        read({}, env)
    assert str(raised.value) == sentence
