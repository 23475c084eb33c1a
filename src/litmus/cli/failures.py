"""How a command ends without a result: one sentence for people, and an exit status that scripts can tell apart.

0    done
1    the command's own 'no', for instance a verdict that is not Pass
2    the cluster or this machine refused
4    the command was not written correctly
130  interrupted
"""

REFUSED = 2
USAGE = 4
INTERRUPTED = 130


class Failed(Exception):
    """The command can't do what was asked. The sentence says why and what to do."""

    status = REFUSED


class Misused(Failed):
    """What was asked makes no sense as it is written."""

    status = USAGE
