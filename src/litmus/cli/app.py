"""The command line: which commands there are, and how each of them ends.

A command is a function in a module of its own that is imported when it is called. It takes options and returns an
exit status; its mistakes are exceptions, and only here they become a line on standard error and a status. A traceback
is a defect of ours, never a user's mistake.
"""

import os
import sys

from cyclopts import App, CycloptsError, UnusedCliTokensError

from litmus import __version__
from litmus.kube import errors

from . import failures

app = App(
    name="litmus",
    help="Chaos engineering for Kubernetes.",
    version=f"litmus {__version__}",
    version_flags=["--version"],
    help_format="plaintext",
    result_action="return_value",
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
)
hub = App(name="hub", help="The catalogue of experiments.")
sandbox = App(name="sandbox", help="A cluster on this machine that may be broken.")
node = App(name="node", help="The nodes of a sandbox.")
dashboards = App(name="dashboards", help="Dashboards for Grafana.")
image = App(name="image", help="What the names of images stand for in a sandbox.")

app.command("litmus.cli.install:install", name="install", help="Install the operator and its definitions in a cluster.")
app.command("litmus.cli.uninstall:uninstall", name="uninstall", help="Remove the operator from a cluster.")
app.command("litmus.cli.plan:plan", name="plan", help="Show who an engine would hit; changes nothing.")
app.command("litmus.cli.run:run", name="run", help="Run an engine and wait for its verdict.")
app.command(
    "litmus.cli.report.command:report", name="report", help="Report results: to read, as HTML, Markdown or JSON."
)
app.command("litmus.cli.compare.command:compare", name="compare", help="Compare two runs, or two sets of runs.")
app.command("litmus.cli.top.command:top", name="top", help="Watch the chaos of a cluster, live.")
app.command("litmus.cli.stop:stop", name="stop", help="Abort running engines.")
app.command(
    "litmus.cli.tolerance:tolerance", name="tolerance", help="Find out how much of a fault an application takes."
)
app.command("litmus.cli.demo:demo", name="demo", help="Run one experiment on a cluster that exists only for it.")
app.command("litmus.cli.tutorial:tutorial", name="tutorial", help="Learn chaos engineering in a quarter of an hour.")
app.command(sandbox)
for _name, _help in (
    ("up", "Start a cluster on this machine."),
    ("status", "Show the sandboxes of this user."),
    ("down", "End a sandbox and remove what it made."),
    ("logs", "Print what a sandbox's own processes say."),
):
    sandbox.command(f"litmus.cli.sandbox:{_name}", name=_name, help=_help)
sandbox.command(node)
node.command("litmus.cli.sandbox:node_start", name="start", help="Start the nodes that are down again.")
sandbox.command(image)
image.command("litmus.cli.sandbox:image_list", name="list", help="List the images that pods can name.")
image.command("litmus.cli.sandbox:image_add", name="add", help="Let an image stand for a command of this machine.")
app.command(dashboards)
dashboards.command(
    "litmus.cli.dashboards:export",
    name="export",
    help="Write the dashboards and the files that Grafana needs for them.",
)
app.command(hub)
hub.command("litmus.cli.hub:list_", name="list", help="List the experiments.")
hub.command("litmus.cli.hub:show", name="show", help="Show what an experiment does and needs, and its tunables.")
hub.command("litmus.cli.hub_get:get", name="get", help="Print the files of experiments for kubectl apply -f -.")
hub.command("litmus.cli.hub_install:install", name="install", help="Install experiments with their roles.")
hub.command(
    "litmus.cli.hub_init:init", name="init", help="Begin an experiment of one's own: a package that runs at once."
)
hub.command(
    "litmus.cli.hub_charts:charts", name="charts", help="Write the charts of experiments as the folder of a hub."
)
for _name, _help in (
    ("add", "Add a hub of your own from Git, a zip or a folder."),
    ("sync", "Fetch the newest state of the hubs that were added."),
    ("sources", "Show the hubs that were added, and their state."),
    ("remove", "Remove a hub that was added."),
    ("lint", "Check charts of your own: every mistake with its file and line."),
):
    hub.command(f"litmus.cli.hub_custom:{_name}", name=_name, help=_help)
hub.command("litmus.cli.hub_serve:serve", name="serve", help="Serve the charts, for kubectl apply -f URL.")


def main(arguments: list[str]) -> int:
    """Runs one command and returns its exit status (``litmus.cli.failures``)."""
    try:
        status = app(arguments)
        sys.stdout.flush()
    except CycloptsError as error:
        return _say(_sentence(error), failures.USAGE)
    except failures.Failed as error:
        return _say(str(error), error.status)
    except errors.KubeError as error:
        return _say(str(error), failures.REFUSED)
    except KeyboardInterrupt:
        return failures.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; the interpreter must not try to write the rest of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failures.INTERRUPTED
    return status if isinstance(status, int) else 0


def _say(sentence: str, status: int) -> int:
    print(f"litmus: {sentence}", file=sys.stderr)
    return status


def _sentence(error: CycloptsError) -> str:
    """The library's message on one line, and where to look things up."""
    command = " ".join(["litmus", *(error.command_chain or ())])
    if isinstance(error, UnusedCliTokensError):
        return f"Unexpected argument: {' '.join(error.unused_tokens or ())}. See {command} --help."
    return f"{' '.join(str(error).split())} See {command} --help."
