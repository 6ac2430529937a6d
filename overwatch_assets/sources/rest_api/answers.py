"""Values in the API's answers, which are whatever somebody sent."""

from typing import cast

from overwatch_assets.sources.rest_api.api import ApiError, Json


def object_of(value: object) -> Json | None:
    """The value, if it is a JSON object."""
    return cast("Json", value) if isinstance(value, dict) else None


def number_of(value: object) -> int | None:
    """The value, if it is a whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text_of(value: object) -> str | None:
    """The value, if it is a text that is not blank."""
    return value if isinstance(value, str) and value.strip() else None


def list_of(page: Json, key: str, path: str) -> list[object]:
    """The list in an answer; an answer that lists nothing leaves its key out.

    Raises:
        ApiError: There is something else.
    """
    value = page.get(key, [])
    if not isinstance(value, list):
        message = f"{path}: `{key}` of the answer is no list but {type(value).__name__}"
        raise ApiError(message)
    return cast("list[object]", value)
