"""The errors a user meets. Each message names what failed, where, and the remedy.

Only failures with a remedy get a class of their own here; whatever else goes wrong keeps
the error of the library that raised it.
"""


class OverwatchError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(OverwatchError):
    """The configuration can't be used: names file, key, value and what to write instead."""


class SourceError(OverwatchError):
    """A source can't be read at all: names path or address, workspace and what to check."""


class WrongSource(SourceError):
    """A source can be read, but is not what is configured: another workspace's, or no such logs."""


class SchemaMismatch(OverwatchError):
    """A frame doesn't fit its table's declared schema; nothing was written."""


class MissingDay(OverwatchError):
    """A day that this one builds on isn't there, or was cut before its end."""


class LawBroken(OverwatchError):
    """A day's rows break a law of the table (keys, days, continuity); nothing was written."""


class StorageError(OverwatchError):
    """A table could not be written or read; says what is stored now and what to do."""
