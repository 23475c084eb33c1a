"""Stress: stress-ng at work in the control groups of a container, or in the helper's own for the node."""

# To see other users' processes, and to enter the host's cgroup namespace.
NODE_CAPABILITIES = ("SYS_PTRACE", "SYS_ADMIN")
# And to write in other users' folders.
CAPABILITIES = (*NODE_CAPABILITIES, "DAC_OVERRIDE")
