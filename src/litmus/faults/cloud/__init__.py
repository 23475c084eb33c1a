"""Disks of a cloud, taken from a machine and given back. Not a fault on a node: the cloud's own API does it."""
