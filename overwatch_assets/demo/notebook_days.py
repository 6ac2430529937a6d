"""What becomes of notebooks, and which commands are run in them.

Notebooks move, are copied, renamed and deleted. The first workspace has verbose audit logs:
there each command is told when it ends, with its text and duration.
"""

from collections.abc import Iterator

from overwatch_assets.demo.company import CASTS, Notebook, digits
from overwatch_assets.demo.estate import NotebookCommand, NotebookLife
from overwatch_assets.demo.notebook_paths import SHARED, as_called, cast_lives, moved_ms
from overwatch_assets.demo.queries import QUERIES
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS, SECOND_MS, Scene

VERBOSE = CASTS[0].workspace_id
"""The workspace with verbose audit logs."""

HOURS = (8, 9, 10, 11, 13, 14, 15, 16)
"""Hours at whose beginning and end the shared cluster runs."""

STATUSES = ("finished", "finished", "finished", "finished", "failed", "cancelled")
LANGUAGE = "python"
NOTE = "## Turnover per store, week after week"
CHANCE_WITHOUT_CLUSTER = 0.15


def notebook_days(
    scene: Scene,
) -> tuple[tuple[NotebookLife, ...], tuple[NotebookCommand, ...]]:
    """Tell every day's notebooks.

    Returns:
        The notebooks that there are, and the commands told before the end of the world.
    """
    notebooks = (*cast_lives(scene), *_changes(scene))
    _refusals(scene)
    for day in range(scene.days):
        _detached(scene, day)
    if scene.workspace.workspace_id != VERBOSE:
        return notebooks, ()
    commands = (*_commands(scene), *_over_midnight(scene))
    told = [command for command in commands if command.ended_ms < scene.until_ms]
    return notebooks, tuple(
        sorted(told, key=lambda command: (command.ended_ms, command.command_id))
    )


def _changes(scene: Scene) -> Iterator[NotebookLife]:
    """A notebook is copied, the copy renamed and deleted; another one moves, one is new."""
    diary, workspace = scene.diary, scene.workspace
    rng = scene.chance("notebooks")
    original, moving = workspace.notebooks[0], workspace.notebooks[1]
    owner = original.owner
    copy = Notebook(digits(rng, 15), f"{original.path} (copy)", owner)
    cloned = {
        "notebookId": original.notebook_id,
        "path": original.path,
        "clonedNotebookId": copy.notebook_id,
        "destinationPath": copy.path,
    }
    cloned_ms, renamed_ms = scene.at(0, 13, 5), scene.at(1, 9, 50)
    diary.note(cloned_ms, "notebook.cloneNotebook", owner, cloned)
    renamed = Notebook(copy.notebook_id, f"{original.path}_trial", owner)
    diary.notebook_renamed(renamed_ms, copy, renamed.name)
    yield NotebookLife(copy.notebook_id, ((cloned_ms, copy.path), (renamed_ms, renamed.path)))
    diary.notebook_attached(scene.at(1, 9, 55), renamed, workspace.shared, owner)
    diary.note(scene.at(2, 10, 10), "notebook.deleteNotebook", owner, _named(renamed))
    moved = {
        "notebookId": moving.notebook_id,
        "oldPath": moving.path,
        "newPath": as_called(scene, moving, moved_ms(scene) + 1).path,
        "parentPath": SHARED,
    }
    diary.note(moved_ms(scene), "notebook.moveNotebook", moving.owner, moved)
    fresh = Notebook(digits(rng, 15), f"/Users/{moving.owner.email}/minimum_stock", moving.owner)
    diary.notebook_created(scene.at(1, 15, 12), fresh)
    yield NotebookLife(fresh.notebook_id, ((scene.at(1, 15, 12), fresh.path),))


def _refusals(scene: Scene) -> None:
    """Two requests that change nothing."""
    diary, workspace = scene.diary, scene.workspace
    notebook, stranger = workspace.notebooks[0], workspace.people[2]
    diary.note(
        scene.at(0, 15, 30),
        "notebook.deleteNotebook",
        stranger,
        _named(notebook),
        status=403,
        error="PERMISSION_DENIED: the notebook belongs to somebody else",
    )
    diary.note(
        scene.at(0, 15, 31),
        "notebook.renameNotebook",
        notebook.owner,
        {"notebookId": notebook.notebook_id, "oldName": notebook.name, "newName": ""},
        status=400,
        error="INVALID_PARAMETER_VALUE: a notebook needs a name",
    )


def _named(notebook: Notebook) -> dict[str, object]:
    return {
        "notebookId": notebook.notebook_id,
        "notebookName": notebook.name,
        "path": notebook.path,
    }


def _detached(scene: Scene, day: int) -> None:
    workspace, rng = scene.workspace, scene.chance("detached", day)
    for person, notebook in zip(workspace.people, workspace.notebooks, strict=True):
        at_ms = scene.at(day, 17, 40) + rng.randrange(20 * MINUTE_MS)
        params = {
            "notebookId": notebook.notebook_id,
            "clusterId": workspace.shared.cluster_id,
            "path": as_called(scene, notebook, at_ms).path,
        }
        scene.diary.note(at_ms, "notebook.detachNotebook", person, params)


def _commands(scene: Scene) -> Iterator[NotebookCommand]:
    """People's commands; every tenth cell or so is a note, which takes no time."""
    workspace = scene.workspace
    texts = (NOTE, *(shape.text for shape in QUERIES.values()))
    for day in range(scene.days):
        for person, notebook in zip(workspace.people, workspace.notebooks, strict=True):
            rng = scene.chance("commands", day, person.email)
            for _ in range(scene.times(10, least=6)):
                at_ms = scene.at(day, rng.choice(HOURS)) + rng.randrange(HOUR_MS)
                text = rng.choice(texts)
                took_ms = 0 if text == NOTE else round(rng.lognormvariate(9.5, 1))
                is_named = rng.random() >= CHANCE_WITHOUT_CLUSTER
                yield _told(
                    scene,
                    NotebookCommand(
                        command_id=f"{notebook.notebook_id}_{rng.getrandbits(64):016x}",
                        notebook_id=notebook.notebook_id,
                        user=person,
                        started_ms=at_ms,
                        duration_ms=min(took_ms, 20 * MINUTE_MS),
                        status=rng.choice(STATUSES),
                        cluster_id=workspace.shared.cluster_id if is_named else None,
                    ),
                    text,
                )


def _over_midnight(scene: Scene) -> Iterator[NotebookCommand]:
    """A look at the stream late in the evening, told on the next day."""
    workspace = scene.workspace
    person, notebook = workspace.people[1], workspace.notebooks[1]
    for day in range(scene.days):
        rng = scene.chance("late", day)
        yield _told(
            scene,
            NotebookCommand(
                command_id=f"{notebook.notebook_id}_{rng.getrandbits(64):016x}",
                notebook_id=notebook.notebook_id,
                user=person,
                started_ms=scene.at(day, 23, 50) + rng.randrange(MINUTE_MS),
                duration_ms=14 * MINUTE_MS + rng.randrange(30 * SECOND_MS),
                status="finished",
                cluster_id=workspace.streaming.cluster_id,
            ),
            QUERIES["stream_batch"].text,
        )


def _told(scene: Scene, command: NotebookCommand, text: str) -> NotebookCommand:
    params: dict[str, object] = {
        "notebookId": command.notebook_id,
        "commandId": command.command_id,
        "commandText": text,
        "commandLanguage": LANGUAGE,
        "executionTime": command.duration_ms / 1000,
        "status": command.status,
    }
    if command.cluster_id is not None:
        params["clusterId"] = command.cluster_id
    scene.diary.note(command.ended_ms, "notebook.runCommand", command.user, params)
    return command
