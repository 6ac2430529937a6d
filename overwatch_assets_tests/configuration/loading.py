"""Configurations of a test: loaded from text, or refused with a message."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from overwatch_assets.config import Config, config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.errors import ConfigError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FILE = Path("/etc/overwatch/overwatch.yaml")

STORAGE = "storage: {root: tables}\n"
WORKSPACES = """\
workspaces:
  - workspace_id: "1234567890123456"
    workspace_name: analytics
    cloud: aws
    primordial_date: 2026-09-21
"""
MINIMAL = STORAGE + WORKSPACES


def loaded(text: str, now: datetime = NOON) -> Config:
    return config_of(parse_document(FILE, text.encode()), now=now)


def refused(text: str, now: datetime = NOON) -> str:
    with pytest.raises(ConfigError) as raised:
        loaded(text, now)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    return str(raised.value)


def with_workspace(*lines: str) -> str:
    """The minimal configuration, its workspace with further lines of YAML."""
    return MINIMAL + "".join(f"    {line}\n" for line in lines)
