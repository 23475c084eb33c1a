"""Servers behind built-in images. Each is one file that runs in a bare interpreter and imports nothing of ours."""
