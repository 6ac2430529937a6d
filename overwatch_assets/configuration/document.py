"""A YAML file as plain values with the line of each key.

Every value stays the text that was written, but for null: the schema gives it its type. So
the digits of an id are kept as they stand, and a workspace called `no` is not false.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from overwatch_assets.configuration.problems import KeyPath, Problem, config_error

Value = str | None | list["Value"] | dict[str, "Value"]

DEEPEST = 20
MOST_VALUES = 100_000
LARGEST_BYTES = 10_000_000

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_MERGE = "<<"
_INIT = "Write one with `overwatch init`, or name another file with OVERWATCH_CONFIG"


class _TextLoader(yaml.SafeLoader):
    """Resolves no scalar to anything but text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  PyYAML's own attribute, never changed here


@dataclass
class Document:
    """The content of a file.

    Attributes:
        path: The file, as messages name it.
        values: Its keys and values.
        lines: Line of each key and list item, from 1.
        problems: What is wrong with it as YAML: repeated keys, tags, too much nesting.
    """

    path: Path
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    lines: dict[KeyPath, int] = field(default_factory=dict[KeyPath, int])
    problems: list[Problem] = field(default_factory=list[Problem])

    def line_of(self, key: KeyPath) -> int | None:
        """Line of the key, or of the nearest one around it."""
        around = (key[:length] for length in range(len(key), 0, -1))
        return next((self.lines[each] for each in around if each in self.lines), None)

    def value_at(self, key: KeyPath) -> Value:
        """Value of the key; None also where there is none."""
        value: Value = self.values
        for part in key:
            match value, part:
                case dict(), str():
                    value = value.get(part)
                case list(), int() if part < len(value):
                    value = value[part]
                case _:
                    return None
        return value

    def text_at(self, key: KeyPath) -> str | None:
        """Text of the key without blanks around it; None where there is no text."""
        value = self.value_at(key)
        return value.strip() if isinstance(value, str) else None


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        ConfigError: It is missing, unreadable, or no YAML mapping.
    """
    problem = None
    content = b""
    try:
        with path.open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        problem = Problem((), None, "there is no such file", f"{_INIT}.")
    except OSError as error:
        what = f"the file can't be read: {error.strerror or type(error).__name__}"
        problem = Problem((), None, what, "Check its permissions.")
    if problem:
        raise config_error(path, [problem])
    return parse_document(path, content)


def parse_document(path: Path, content: bytes) -> Document:
    """Read YAML.

    Args:
        path: Its file, for messages.
        content: Bytes of the file.

    Raises:
        ConfigError: It is no YAML mapping.
    """
    node = _composed(path, content)
    if not isinstance(node, yaml.MappingNode):
        what = "the file is empty" if node is None else "the file is no mapping of keys to values"
        raise config_error(path, [Problem((), None, what, f"{_INIT}.")])
    document = Document(path)
    values = _Walk(document).value(node, ())
    document.values = values if isinstance(values, dict) else {}
    return document


def _composed(path: Path, content: bytes) -> yaml.Node | None:
    line = None
    if len(content) > LARGEST_BYTES:
        what, remedy = "the file is larger than 10 MB", "A configuration is a short YAML file"
        raise config_error(path, [Problem((), None, what, f"{remedy}.")])
    try:
        return _TextLoader(content.decode("utf-8-sig")).get_single_node()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what, remedy = "the file is not UTF-8 text", "Save it as UTF-8."
    except yaml.MarkedYAMLError as error:
        what, remedy = _syntax(error), "Mend the YAML there; quote text with special characters."
        line = error.problem_mark.line + 1 if error.problem_mark else None
    except yaml.reader.ReaderError as error:
        line = content.decode("utf-8-sig")[: error.position].count("\n") + 1
        what, remedy = "the file holds a character that YAML forbids", "Remove it."
    except RecursionError:
        what, remedy = "the values are nested too deeply", "Write them flat."
    except (ValueError, OverflowError):
        what, remedy = "the file holds an escape (\\U) of no character", "Remove it."
    raise config_error(path, [Problem((), line, what, remedy)])


def _syntax(error: yaml.MarkedYAMLError) -> str:
    """The parser's complaint without what it quotes of the file, which may be a secret."""
    complaint = re.sub(r"\s*(['\"])(?:.{2,}?)\1", "", error.problem or "the text ends too early")
    column = f", column {error.problem_mark.column + 1}" if error.problem_mark else ""
    return f"this is no YAML: {complaint}{column}"


class _Walk:
    """Turns nodes into values, within bounds that no honest file reaches."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0
        self.is_over = False

    def value(self, node: yaml.Node, key: KeyPath) -> Value:
        if self.is_over:
            return None
        self.count += 1
        if len(key) > DEEPEST or self.count > MOST_VALUES:
            self.is_over = True
            self.problem(node, (), "holds too many nested values", "Write it shorter")
            return None
        if node.tag not in _PLAIN_TAGS:
            self.problem(node, key, "has a YAML tag (!)", "Leave it out, or quote the value")
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.item(child, (*key, index)) for index, child in enumerate(node.value)]
        is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
        return None if is_plain and node.value in _NULL else str(node.value)

    def item(self, node: yaml.Node, key: KeyPath) -> Value:
        self.document.lines[key] = node.start_mark.line + 1
        return self.value(node, key)

    def mapping(self, node: yaml.MappingNode, key: KeyPath) -> dict[str, Value]:
        values: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for name, name_node, value_node in self.pairs(node, key):
            if name == _MERGE and name_node.style is None:
                for each in self.merged(value_node, key):
                    merged = {**each, **merged}
            elif name in values:
                before = self.document.lines[(*key, name)]
                what = f"is written twice, first in line {before}"
                self.problem(name_node, (*key, name), what, "Keep one of the two")
            else:
                self.document.lines[(*key, name)] = name_node.start_mark.line + 1
                values[name] = self.value(value_node, (*key, name))
        return {**merged, **values}

    def pairs(
        self, node: yaml.MappingNode, key: KeyPath
    ) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
        for name_node, value_node in node.value:
            if isinstance(name_node, yaml.ScalarNode):
                yield str(name_node.value), name_node, value_node
            else:
                remedy = 'Put text with braces in quotes: "{{secrets/scope/key}}"'
                self.problem(name_node, key, "has a key that is no text", remedy)

    def merged(self, node: yaml.Node, key: KeyPath) -> Iterator[dict[str, Value]]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for each in nodes:
            if not isinstance(each, yaml.MappingNode):
                self.problem(each, (*key, _MERGE), "is no mapping", "Merge a mapping: <<: *name")
            elif isinstance(value := self.value(each, (*key, _MERGE)), dict):
                yield value

    def problem(self, node: yaml.Node, key: KeyPath, what: str, remedy: str) -> None:
        line = node.start_mark.line + 1
        if not key:
            what = f"the file {what}"
        self.document.problems.append(Problem(key, line, what, f"{remedy}."))
