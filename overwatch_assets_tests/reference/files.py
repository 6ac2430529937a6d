"""Price files of a test, and the figures that a configuration with them gives."""

from collections.abc import Iterable, Mapping

from overwatch_assets.config import Config
from overwatch_assets.reference.checking import Checked, checked
from overwatch_assets.reference.layout import Layout
from overwatch_assets.reference.prices import PriceFigures, read_price_files, reference_of
from overwatch_assets.reference.sheet import Sheet, sheet_of_csv
from overwatch_assets_tests.configuration.loading import loaded, with_workspace

ORG = "1234567890123456"
FOLDER = "/etc/overwatch"


def of_csv(text: str, layout: Layout) -> Checked:
    return checked(sheet_of_csv("prices.csv", [text.encode()]), layout)


def told(text: str, layout: Layout) -> list[str]:
    return [str(problem) for problem in of_csv(text, layout).problems]


def configured(*lines: str, deployment: str = "", cloud: str = "aws") -> Config:
    """A configuration of a workspace.

    Args:
        lines: Further lines of the workspace.
        deployment: A further line of the deployment.
        cloud: The workspace's.
    """
    text = with_workspace(*lines).replace("cloud: aws", f"cloud: {cloud}")
    return loaded(f"{deployment}\n{text}")


def reference(
    config: Config,
    files: Mapping[str, str] | None = None,
    node_types: Iterable[Mapping[str, object]] = (),
) -> PriceFigures:
    """Figures of the only workspace, with the content of files by their path."""
    contents = {f"{FOLDER}/{name}": text for name, text in (files or {}).items()}

    def read(path: str) -> Sheet:
        return sheet_of_csv(path, [contents[path].encode()])

    [workspace] = config.workspaces
    return reference_of(workspace, read_price_files(workspace, read), node_types)
