"""Network faults: what happens to packets, which packets, and the two engines that do it."""
