"""Amounts as the API reference describes them."""

import pytest

from litmus.kube import quantities


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("128974848", 128974848),
        ("129e6", 129_000_000),
        ("129M", 129_000_000),
        ("123Mi", 123 * 2**20),
        ("1.5Gi", 3 * 2**29),
        ("1E3", 1000),
        ("1E", 10**18),
        ("500m", 1),
        ("128974848000m", 128974848),
        ("2Ki", 2048),
        ("3k", 3000),
    ],
)
def test_a_quantity_is_read_in_whole_units(text, amount):
    assert quantities.whole(text) == amount


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1GB", "1.2.3", ".", "ten", "1K", "0x10"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="is no quantity, such as 500Mi or 2Gi"):
        quantities.whole(text)
