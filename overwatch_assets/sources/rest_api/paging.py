"""Lists that come in pages. Each page is a request of its own, tried again by itself."""

from collections.abc import Callable, Iterator
from typing import cast

from overwatch_assets.sources.rest_api.api import ApiError, Json, Query

PAGE_TOKEN = "page_token"  # noqa: S105  the parameter's name
NEXT_PAGE_TOKEN = "next_page_token"  # noqa: S105  the field's name


SAME_PAGES = 100
"""Equal pages in a row, under tokens that differ, after which a list counts as endless."""


def pages(ask: Callable[[Query], Json], query: Query, *, what: str) -> Iterator[Json]:
    """Every page, from the first to the one that names no next.

    Args:
        ask: Asks for a page.
        query: Parameters of the first page; the others are told its token besides.
        what: What is listed, for messages.

    Raises:
        ApiError: The pages would never end: one names an earlier one as the next, or they are
            all the same.
    """
    seen: set[object] = set()
    page = ask(query)
    same = 0
    yield page
    while (token := page.get(NEXT_PAGE_TOKEN)) and page.get("has_more") is not False:
        if token in seen or not isinstance(token, str) or same == SAME_PAGES:
            is_same = same == SAME_PAGES
            how = "is the same as those before" if is_same else "names an earlier page as its next"
            message = (
                f"{what}: page {len(seen) + 1} {how}, so the list would never end; load again "
                "later, and report it to Databricks if it stays"
            )
            raise ApiError(message)
        seen.add(token)
        before, page = page, ask({**query, PAGE_TOKEN: token})
        same = same + 1 if _without_tokens(page) == _without_tokens(before) else 0
        yield page


def _without_tokens(page: Json) -> Json:
    return {name: value for name, value in page.items() if not name.endswith(PAGE_TOKEN)}


def listed(ask: Callable[[Query], Json], query: Query, key: str, *, what: str) -> Iterator[object]:
    """The elements that the pages list under a key; a page without the key lists none.

    Raises:
        ApiError: The key holds no list, or the pages never end.
    """
    for page in pages(ask, query, what=what):
        elements = page.get(key)
        if elements is None:
            continue
        if not isinstance(elements, list):
            message = f"{what}: `{key}` is no list; check that `host` is a workspace's address"
            raise ApiError(message)
        yield from cast("list[object]", elements)
