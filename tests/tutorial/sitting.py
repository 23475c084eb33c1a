"""A sitting of the course in a terminal, with a kubectl of its own: run by the tests in a pseudo-terminal.

    python sitting.py FOLDER [auto]

kubectl serves what lies as JSON in ``FOLDER/cluster``. The course has three steps: look, make, look.
"""

import sys
from pathlib import Path

import msgspec

from litmus.tutorial import course, progress, session, shell, texts
from litmus.tutorial.checks import Facts, Scene, Seen
from litmus.tutorial.cluster import Cluster
from litmus.tutorial.page import Page


def there(scene: Scene) -> Seen:
    return Seen() if scene.cluster.get("thing", "here") is not None else Seen("application")


def made(scene: Scene) -> Seen:
    found = scene.cluster.get("thing", "made")
    return Seen(facts={"color": found["color"]}) if found else Seen("pods", {"ready": "0", "wanted": "1"})


def remembered(scene: Scene) -> Facts:
    return {"name": "made"}


def words(task: str) -> texts.TaskText:
    return texts.TaskText(next=f"next {task}", done=f"done {task} {{color}}", hint=f"hint {task}")


def main(folder: Path, *, auto: bool) -> int:
    course.STEPS = (
        course.Step("look", (course.Task(id="look", command="kubectl get thing here", check=there, deadline_s=1),)),
        course.Step(
            "make",
            (
                course.Task(
                    id="make",
                    command="kubectl make {name} red",
                    check=made,
                    before=remembered,
                    lasting=True,
                    deadline_s=5,
                ),
                course.Task(id="again", command="kubectl make made blue", check=made, deadline_s=5),
            ),
        ),
        course.Step("end", (course.Task(id="end", command="kubectl get thing made", check=made),)),
    )
    english = texts.load("en")
    steps = {
        step.id: texts.StepText(
            title=f"Title {step.id}", why=f"why {step.id}", tasks={task.id: words(task.id) for task in step.tasks}
        )
        for step in course.STEPS
    }
    env = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}
    around = session.Surroundings(
        page=Page(sys.stdout),
        texts=msgspec.structs.replace(english, steps=steps),
        shell=shell.Shell(env=env, folder=folder),
        cluster=Cluster(env=env, folder=folder),
        remembered_in=folder,
        alive=lambda: not (folder / "cluster" / "gone").exists(),
        read=None if auto else lambda: input("> "),
    )
    talk = session.Session(around, progress.load(folder))
    ending = talk.play()
    sys.stdout.write(f"ENDED {ending.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), auto="auto" in sys.argv))
