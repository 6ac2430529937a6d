"""Notebook commands by the name that Overwatch's documentation has for them."""

from dataclasses import replace

from overwatch_assets.presentation import notebookcommands

VIEW = replace(
    notebookcommands.VIEW,
    name="verboseAuditTarget",
    doc="The rows of notebookCommands, one per command, by an older name.",
)
