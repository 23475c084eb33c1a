"""Formats of strings; which of these a real server takes was tried on one."""

import pytest

from litmus.sandbox.machinery.crds import formats


@pytest.mark.parametrize(
    ("form", "fine", "wrong"),
    [
        ("date-time", "2026-01-02T03:04:05.6+01:00", "2026-01-02 03:04:05"),
        ("date", "2026-02-28", "2026-02-30"),
        ("email", "a@b.c", "x"),
        ("hostname", "www.example.com", "x_y!"),
        ("hostname", "a-b", "a.b"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("mac", "00:00:5e:00:53:01", "x"),
        ("uri", "http://a/b", "::"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        ("byte", "YWJj", "abc"),
        ("duration", "1h30m", "x"),
        ("duration", "1 day", "one day"),
        ("duration", "0", "1"),
        ("isbn", "0-306-40615-2", "0-306-40615-3"),
        ("isbn13", "978-0-306-40615-7", "978-0-306-40615-8"),
        ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("ssn", "111-22-3333", "111-2-3333"),
        ("hexcolor", "#ff0", "#ff"),
        ("rgbcolor", "rgb(1, 2, 255)", "rgb(1,2,256)"),
        ("bsonobjectid", "507f1f77bcf86cd799439011", "507f"),
        ("k8s-short-name", "abc", "a.b"),
        ("k8s-long-name", "a.b", "a_b"),
    ],
)
def test_a_format_takes_what_it_names_and_nothing_else(form: str, fine: str, wrong: str) -> None:
    assert formats.fits(form, fine)
    assert not formats.fits(form, wrong)


def test_an_unknown_format_takes_everything() -> None:
    assert formats.fits("password", "x")
    assert formats.fits("what-ever", "")
