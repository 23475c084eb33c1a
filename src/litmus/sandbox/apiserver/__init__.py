"""The API over HTTP: what a request means, who asks, whether they may, and how the registry's answer is worded.

Knows of HTTP and of the machinery; what a write does is decided there. ``app.application`` is the way in.
"""
