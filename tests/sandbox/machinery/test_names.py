import pytest

from litmus.sandbox.machinery import names

LONG = "x" * 64


@pytest.mark.parametrize("good", ["a", "a-b", "1", "x" * 63])
def test_a_label_takes_lower_case_letters_digits_and_hyphens(good: str) -> None:
    assert names.label(good) == []


@pytest.mark.parametrize("bad", ["", "A", "-a", "a-", "a_b", "ä"])
def test_a_label_takes_nothing_else(bad: str) -> None:
    assert names.label(bad) == [names.LABEL_TEXT]


def test_a_label_with_dots_is_told_that_they_are_the_mistake() -> None:
    assert names.label("a.b") == ["must not contain dots"]


def test_a_label_is_at_most_63_bytes_long() -> None:
    assert names.label(LONG) == ["must be no more than 63 bytes"]


def test_a_subdomain_may_have_dots_and_253_bytes() -> None:
    assert names.subdomain("a.b-c.1") == []
    assert names.subdomain("a" * 254) == ["must be no more than 253 bytes"]
    assert names.subdomain("a..b") == [names.SUBDOMAIN_TEXT]


def test_a_service_name_begins_with_a_letter() -> None:
    assert names.label_1035("a1") == []
    assert names.label_1035("1a") == [names.LABEL_1035_TEXT]


@pytest.mark.parametrize("good", ["a", "A.b_c-1", "example.com/A", "x" * 63])
def test_a_label_key_may_have_a_prefix(good: str) -> None:
    assert names.qualified(good) == []


@pytest.mark.parametrize(
    ("bad", "texts"),
    [
        ("", ["name part must be non-empty", f"name part {names.QUALIFIED_TEXT}"]),
        ("/a", ["prefix part must be non-empty"]),
        ("a b", [f"name part {names.QUALIFIED_TEXT}"]),
        ("A/b", [f"prefix part {names.SUBDOMAIN_TEXT}"]),
        (LONG, ["name part must be no more than 63 bytes"]),
    ],
)
def test_a_bad_label_key_is_told_which_part_is_wrong(bad: str, texts: list[str]) -> None:
    assert names.qualified(bad) == texts


def test_a_label_key_has_one_slash_at_most() -> None:
    assert names.qualified("a/b/c")[0].startswith("a valid label key must consist of")


def test_a_label_value_may_be_empty() -> None:
    assert names.label_value("") == []
    assert names.label_value("a b") == [names.LABEL_VALUE_TEXT]


@pytest.mark.parametrize("good", ["A", "my.env-name", "with space", "1"])
def test_an_environment_variable_may_have_any_printable_name(good: str) -> None:
    assert names.env(good) == []


@pytest.mark.parametrize("bad", ["a=b", "a\nb", "ä"])
def test_an_environment_variable_has_no_equals_sign_or_foreign_letter(bad: str) -> None:
    assert names.env(bad) == [names.ENV_TEXT]


def test_a_config_key_is_a_file_name() -> None:
    assert names.config_key("a.b_C-1") == []
    assert names.config_key("a/b") == [names.CONFIG_KEY_TEXT]
    assert names.config_key(".") == ["must not be '.'"]
    assert names.config_key("..") == ["must not be '..'"]
    assert names.config_key("..a") == ["must not start with '..'"]


def test_a_role_may_have_any_name_that_is_one_part_of_a_url() -> None:
    assert names.path_segment("system:node") == []
    assert names.path_segment("..") == ["may not be '..'"]
    assert names.path_segment("a/b%") == ["may not contain '/'", "may not contain '%'"]


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ("abcdefghijklmnop", "must be no more than 15 bytes"),
        ("80", "must contain at least one letter (a-z)"),
        ("a--b", "must not contain consecutive hyphens"),
        ("-a", "must not begin or end with a hyphen"),
        ("Aa", "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
    ],
)
def test_a_port_has_the_name_of_a_service(bad: str, text: str) -> None:
    assert names.port_name(bad) == [text]


def test_port_numbers_have_16_bits_and_no_zero() -> None:
    assert names.port_number(1) == names.port_number(65535) == []
    assert names.port_number(0) == names.port_number(65536) == ["must be between 1 and 65535, inclusive"]


def test_a_generated_name_has_five_letters_of_the_alphabet_after_the_prefix() -> None:
    found = names.generate("web-")
    assert found.startswith("web-")
    assert len(found) == len("web-") + 5
    assert set(found.removeprefix("web-")) <= set(names.GENERATED_ALPHABET)


def test_a_generated_name_fits_into_a_label_whatever_its_prefix() -> None:
    assert len(names.generate("x" * 100)) == 63
