"""The hub: charts generated from the experiments, and the server that hands them out."""


class MissingExtra(ImportError):
    """The server needs packages that are not installed. The sentence says how to get them."""
