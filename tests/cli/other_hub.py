"""A hub as users add them, made by hand: in the layout of 3.x, with one experiment and no roles."""

from litmus.hub import model


def theirs(**changes: object) -> model.Hub:
    """``changes`` are those of its experiment quake."""
    experiment = "kind: ChaosExperiment\nmetadata:\n  name: quake\nspec:\n  definition:\n    image: theirs:1\n"
    files = {
        "faults/ground/quake/fault.yaml": experiment.encode(),
        "faults/ground/quake/engine.yaml": b"# run it\nkind: ChaosEngine\nmetadata:\n  name: e\n  namespace: default\n",
    }
    chart = model.Chart(
        group="ground",
        name="quake",
        title="Quake",
        help="Shakes.",
        experiment_file="faults/ground/quake/fault.yaml",
        engine_file="faults/ground/quake/engine.yaml",
        **changes,
    )
    group = model.Group(name="ground", title="Ground", help="", charts=(chart,))
    return model.Hub(name="theirs", source="a test", groups=(group,), files=files)
