"""Whether a workspace's price files can be read, and say what costs can be made of."""

from overwatch_assets.config import Workspace
from overwatch_assets.errors import SourceError
from overwatch_assets.operations.validation.findings import Check, Finding
from overwatch_assets.reference.problems import errors_of
from overwatch_assets.resources import Deployment

RULE = "Price_Files"
_REMEDY = "Correct the files; `overwatch prices --check` shows every problem"


def price_finding(deployment: Deployment, workspace: Workspace) -> Finding:
    """Read and check the price files that are configured for a workspace."""
    paths = [
        path
        for each in workspace.price_files
        for path in each.model_dump().values()
        if path is not None
    ]
    check = Check(RULE, workspace.organization_id, f"read {len(paths)} price files")
    if not paths:
        return check.ok("none is configured: shipped figures and contract prices hold")
    try:
        problems = deployment.price_files(workspace.organization_id).problems
    except SourceError as error:
        return check.failed(error, "Put the file where the configuration says, or correct that")
    told = "; ".join(map(str, errors_of(problems) or problems))
    if errors_of(problems):
        return check.error(told, _REMEDY)
    return check.warning(told, _REMEDY) if problems else check.ok(", ".join(map(str, paths)))
