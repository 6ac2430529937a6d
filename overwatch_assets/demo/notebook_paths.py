"""Which notebooks a workspace has, and where each of them is from when on.

The notebooks of the cast are there when the world begins. On the first morning the third one gets
another name, on the second afternoon the second one moves to everybody's folder.
"""

from dataclasses import replace

from overwatch_assets.demo.company import Notebook
from overwatch_assets.demo.estate import NotebookLife
from overwatch_assets.demo.scene import Scene

SHARED = "/Shared"


def renamed_ms(scene: Scene) -> int:
    """When the third notebook gets another name."""
    return scene.at(0, 9, 20)


def moved_ms(scene: Scene) -> int:
    """When the second notebook moves."""
    return scene.at(1, 14, 35)


def cast_lives(scene: Scene) -> tuple[NotebookLife, ...]:
    """The notebooks of the cast and where they are."""
    first, moving, named = scene.workspace.notebooks
    return (
        NotebookLife(first.notebook_id, ((scene.at(0), first.path),)),
        NotebookLife(
            moving.notebook_id,
            ((scene.at(0), moving.path), (moved_ms(scene), f"{SHARED}/{moving.name}")),
        ),
        NotebookLife(
            named.notebook_id,
            ((scene.at(0), named.path), (renamed_ms(scene), f"{named.path}_v2")),
        ),
    )


def as_called(scene: Scene, notebook: Notebook, now_ms: int) -> Notebook:
    """A notebook of the cast at the path that it has just before an instant."""
    [life] = [each for each in cast_lives(scene) if each.notebook_id == notebook.notebook_id]
    return replace(notebook, path=life.path_at(now_ms))
