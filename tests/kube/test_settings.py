"""Which cluster, as whom, and one clear sentence when there is none."""

import os
from pathlib import Path

import pytest
import yaml
from lightkube.config import kubeconfig

from litmus.kube import errors, settings


def config(*, name: str = "one", **changes: object) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"ns-{name}"}}],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}}],
        **changes,
    }


@pytest.fixture
def write(tmp_path: Path):
    def to_file(content: object, name: str = "config") -> str:
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return to_file


def load(**where):
    return settings.load(**({"env": {}} | where))


def sentence(**where) -> str:
    with pytest.raises(errors.ConfigError) as caught:
        load(**where)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_an_explicit_file_says_server_user_and_namespace(write):
    found = load(path=write(config()))
    assert found.cluster.server == "https://one.example"
    assert found.user.token == "token-of-one"
    assert found.namespace == "ns-one"


def test_a_named_context_is_taken_instead_of_the_current_one(write):
    two, one = config(name="two"), config()
    both = {key: one[key] + two[key] if isinstance(one[key], list) else one[key] for key in one}
    path = write(both)
    assert load(path=path).context_name == "one"
    assert load(path=path, context="two").cluster.server == "https://two.example"


def test_an_explicit_file_goes_before_the_environment(write):
    env = {"KUBECONFIG": write(config(name="two"), "second")}
    assert load(path=write(config()), env=env).context_name == "one"
    assert load(env=env).context_name == "two"


def test_without_a_name_the_file_in_the_home_folder_is_taken(write, monkeypatch):
    monkeypatch.setattr(kubeconfig, "DEFAULT_KUBECONFIG", write(config()))
    assert load().context_name == "one"


def test_several_files_are_read_as_one(write):
    names = [{"current-context": "two"}, config(), config(name="two")]
    joined = os.pathsep.join(write(content, f"file-{n}") for n, content in enumerate(names))
    found = load(env={"KUBECONFIG": joined})
    assert (found.context_name, found.cluster.server) == ("two", "https://two.example")
    assert load(env={"KUBECONFIG": joined}, context="one").user.token == "token-of-one"


def test_of_several_files_those_that_are_not_there_do_not_matter(write, tmp_path):
    joined = os.pathsep.join([str(tmp_path / "absent"), write(config()), ""])
    assert load(env={"KUBECONFIG": joined}).context_name == "one"


def test_a_missing_file_is_named_with_what_to_do(tmp_path):
    text = sentence(path=str(tmp_path / "absent"))
    assert str(tmp_path / "absent") in text
    assert "set KUBECONFIG" in text


def test_a_file_that_is_not_yaml_is_named_with_what_to_do(write):
    path = write("clusters: [")
    text = sentence(path=path)
    assert path in text
    assert "not YAML" in text
    assert "set KUBECONFIG" in text


@pytest.mark.parametrize("content", ["", "just text", "- a\n- list", "42"])
def test_a_file_that_holds_something_else_is_named_with_what_to_do(write, content):
    path = write(content)
    text = sentence(path=path)
    assert path in text
    assert "not a mapping" in text
    assert "set KUBECONFIG" in text


def test_a_file_that_is_not_text_is_named_with_what_to_do(tmp_path):
    (tmp_path / "config").write_bytes(b"\xff\xfe\x00")
    assert "can't be read" in sentence(path=str(tmp_path / "config"))


@pytest.mark.parametrize(
    "changes",
    [
        {"clusters": []},
        {"clusters": None},
        {"users": []},
        {"contexts": [{"name": "one", "context": {"user": "one"}}]},
        {"clusters": [{"name": "one", "cluster": {"server": 5}}]},
    ],
)
def test_a_file_that_lacks_a_part_is_named_with_the_parts_it_needs(write, changes):
    path = write(config(**changes))
    text = sentence(path=path)
    assert path in text
    assert "it needs clusters, contexts and users" in text


def test_a_context_without_a_user_says_how_to_add_one(write):
    text = sentence(path=write(config(contexts=[{"name": "one", "context": {"cluster": "one"}}])))
    assert "names no user" in text
    assert "kubectl config set-context" in text


def test_an_unknown_context_is_answered_with_those_there_are(write):
    text = sentence(path=write(config()), context="three")
    assert "'three' not found" in text
    assert "contexts in the kubeconfig: one" in text


def test_a_file_without_a_current_context_asks_for_one(write):
    text = sentence(path=write(config(**{"current-context": None})))
    assert "No current context" in text
    assert "contexts in the kubeconfig: one" in text


@pytest.fixture
def account(tmp_path, monkeypatch) -> Path:
    """The files and variables of a pod's service account."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("the-pods-token")
    (folder / "namespace").write_text("litmus")
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", str(folder))
    monkeypatch.setattr(kubeconfig.KubeConfig.from_service_account.__func__, "__defaults__", (str(folder),))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return folder


def test_in_a_pod_its_service_account_is_used(account):
    found = load()
    assert (found.cluster.server, found.namespace) == ("https://10.0.0.1:443", "litmus")
    assert found.user.token_file == str(account / "token")


@pytest.mark.usefixtures("account")
def test_in_a_pod_a_kubeconfig_that_somebody_set_goes_first(write):
    assert load(env={"KUBECONFIG": write(config())}).context_name == "one"
    assert load(path=write(config())).context_name == "one"


@pytest.mark.usefixtures("account")
def test_a_service_account_without_its_variables_is_told_in_one_sentence(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    assert "this pod's service account can't be used" in sentence()


@pytest.mark.parametrize("clusters", ["text", [{"cluster": {}}], [None], {"a": 1}])
def test_a_part_of_another_shape_is_named_with_the_shape_it_needs(write, clusters):
    path = write(config(clusters=clusters))
    text = sentence(path=path)
    assert path in text
    assert "clusters must be a list of entries with a name and a cluster" in text
    assert "clusters must be" in sentence(env={"KUBECONFIG": os.pathsep.join([write(config(), "sound"), path])})


@pytest.mark.parametrize(
    "changes",
    [
        {"users": None},
        {"users": [{"name": "one", "user": None}]},
        {"contexts": [{"name": "one", "context": {"cluster": "nope", "user": "one"}}]},
    ],
)
def test_a_context_that_leads_nowhere_is_told_in_one_sentence(write, changes):
    sentence(path=write(config(**changes)))


def test_of_two_entries_with_one_name_that_of_the_first_file_counts(write):
    other = config(clusters=[{"name": "one", "cluster": {"server": "https://second.example"}}])
    joined = os.pathsep.join([write(config(), "first"), write(other, "second")])
    assert load(env={"KUBECONFIG": joined}).cluster.server == "https://one.example"


def test_a_relative_path_belongs_to_the_file_that_has_it(write, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    cluster = {"server": "https://one.example", "certificate-authority": "ca.crt"}
    second = config(clusters=[{"name": "one", "cluster": cluster}])
    joined = os.pathsep.join([write({"current-context": "one"}, "a/1"), write(second, "b/2")])
    found = load(env={"KUBECONFIG": joined})
    assert found.cluster.certificate_auth == str(tmp_path / "b" / "ca.crt")
