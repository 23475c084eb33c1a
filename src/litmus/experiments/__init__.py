"""What an experiment is, one file each: tunables, permissions, target choice, which fault, which checks."""
