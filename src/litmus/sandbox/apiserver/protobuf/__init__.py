"""Kubernetes objects from their protobuf form, which kubectl's typed commands and Go programs send.

The server itself answers JSON, which these clients list in Accept as well; so there is a decoder and no encoder.
"""

from .decoding import CONTENT_TYPE, decode

__all__ = ["CONTENT_TYPE", "decode"]
