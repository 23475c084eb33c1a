"""``litmus report``: what came of runs, to read, to attach to a ticket, to post on a pull request, or for programs."""

import json as json_
import os
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from litmus.hub import translations
from litmus.kube import Cluster
from litmus.tutorial import texts

from .. import failures, options, terminal
from ..hub import Lang
from . import document, fetching, lines, reading
from .record import Report
from .wording import Say


async def report(
    *results: Annotated[str, Parameter(help="Names of ChaosResults, for instance shop-chaos-pod-delete.")],
    engine: Annotated[str, Parameter(help="All results of this engine.", show_default=False)] = "",
    schedule: Annotated[str, Parameter(help="All results of a schedule's engines.", show_default=False)] = "",
    from_: Annotated[
        list[Path] | None,
        Parameter(
            name="--from",
            help="Read this file instead of a cluster: what kubectl get -o yaml, or this command with --json, wrote; "
            "- for standard input. May be given more than once.",
            allow_leading_hyphen=True,
            negative="",
        ),
    ] = None,
    html: Annotated[Path | None, Parameter(help="Write one HTML file that needs nothing else.")] = None,
    markdown: Annotated[bool, Parameter(help="Print Markdown for a pull request.", negative="")] = False,
    json: Annotated[bool, Parameter(help="Print JSON.", negative="")] = False,
    lang: Lang = None,
    namespace: Annotated[
        str, Parameter(name=["--namespace", "-n"], help="Namespace of the results.", show_default=False)
    ] = "",
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Report results: verdict and why, the signal, figures, criteria, targets, probes, timeline, history.

    Exit status 0 whatever the verdicts are; litmus run and litmus compare judge.
    """
    if sum((html is not None, markdown, json)) > 1:
        raise failures.Misused("--html, --markdown and --json exclude each other; choose one")
    if html and not html.absolute().parent.is_dir():
        raise failures.Misused(f"--html: folder {html.absolute().parent} does not exist; create it first")
    if from_:
        if engine or schedule:
            raise failures.Misused("--engine and --schedule ask a cluster; with --from, name the results")
        made = reading.report(from_, only=results)
    else:
        if sum((bool(results), bool(engine), bool(schedule))) != 1:
            raise failures.Misused("name results, or --engine, or --schedule, or a file by --from")
        async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
            place = namespace or cluster.namespace
            made = await fetching.report(cluster, results, namespace=place, engine=engine, schedule=schedule)
    language = lang or texts.wanted(os.environ)
    say = partial(translations.translate, language)
    if html:
        _write(html, made, say=say, lang=language)
    elif markdown:
        from . import markdown as markdown_

        print(markdown_.text(made, say=say), end="")
    elif json:
        print(json_.dumps(document.of(made), indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines.of(made, say=say, width=terminal.width())))
    return 0


def _write(file: Path, made: Report, *, say: Say, lang: str) -> None:
    from . import page

    try:
        file.write_text(page.html(made, say=say, lang=lang), encoding="utf-8")
    except OSError as error:
        raise failures.Failed(f"--html: {file} can't be written: {error}") from error
    print(f"{page.title(made, say)}\n{file}")
