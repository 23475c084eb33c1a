"""Network faults: what happens to packets, which packets, and the two engines that do it."""

# What the helper pod needs: entering namespaces (SYS_ADMIN, SYS_PTRACE), changing networks, and probe packets.
CAPABILITIES = ("NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE")
DIRECTIONS = ("egress", "ingress", "both")
ENGINE_NAMES = ("kernel", "userspace")
