"""A SQL warehouse in memory: answers statements in chunks, behind links or inline."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from overwatch_assets.sources.rest_api.api import ApiRefused, Json, Query
from overwatch_assets.sources.rest_api.statements import STATEMENTS

Values = Sequence[object]
Answer = Callable[[str, Mapping[str, str]], tuple[Sequence[str], Sequence[Values]]]


def refused(status: int = 403, code: str = "PERMISSION_DENIED") -> ApiRefused:
    return ApiRefused(code, status=status, code=code, said=code, is_missing=False)


@dataclass
class Warehouse:
    """Answers every statement by a function of its text and parameters.

    Attributes:
        answer: From statement and parameters to column names and rows.
        chunk_rows: Rows of a chunk.
        is_inline: Rows stand in the answer instead of behind a link.
        states: States that are told, one a question, before SUCCEEDED.
        expired: Links that have expired when they are first followed.
        failure: State and error in the place of success.
    """

    answer: Answer
    chunk_rows: int = 2
    is_inline: bool = False
    states: Sequence[str] = ()
    expired: set[int] = field(default_factory=set[int])
    failure: tuple[str, str] | None = None
    bodies: list[Json] = field(default_factory=list[Json])
    asked: int = 0
    fetched: list[str] = field(default_factory=list[str])

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        assert path == STATEMENTS
        self.bodies.append(dict(body))
        self.asked = 0
        parameters = body["parameters"]
        assert isinstance(parameters, list)
        named = {each["name"]: each["value"] for each in parameters}  # pyright: ignore[reportUnknownVariableType]
        self.names, self.rows = self.answer(str(body["statement"]), named)  # pyright: ignore[reportUnknownArgumentType]
        return self._status()

    def get(self, path: str, query: Query | None = None) -> Json:
        assert not query
        if path == f"{STATEMENTS}/s-1":
            return self._status()
        return self._chunk(int(path.removeprefix(f"{STATEMENTS}/s-1/result/chunks/")))

    def download(self, path: str) -> Iterator[bytes]:
        raise NotImplementedError

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        number = int(url.rpartition("/")[2])
        if number in self.expired:
            self.expired.remove(number)
            raise refused()
        return json.dumps(self._of_chunk(number)).encode()

    def _status(self) -> Json:
        if self.failure is not None:
            error = {"error_code": self.failure[0], "message": self.failure[1]}
            return {"statement_id": "s-1", "status": {"state": "FAILED", "error": error}}
        if self.asked < len(self.states):
            self.asked += 1
            return {"statement_id": "s-1", "status": {"state": self.states[self.asked - 1]}}
        columns = [{"name": name, "position": n} for n, name in enumerate(self.names)]
        return {
            "statement_id": "s-1",
            "status": {"state": "SUCCEEDED"},
            "manifest": {"schema": {"columns": columns}},
            "result": self._chunk(0),
        }

    def _of_chunk(self, number: int) -> Sequence[Values]:
        return [*self.rows[number * self.chunk_rows : (number + 1) * self.chunk_rows]]

    def _chunk(self, number: int) -> Json:
        part: Json = {"chunk_index": number}
        if (number + 1) * self.chunk_rows < len(self.rows):
            part["next_chunk_index"] = number + 1
        if self.is_inline:
            return {**part, "data_array": self._of_chunk(number)}
        return {"external_links": [{**part, "external_link": f"https://store.example/{number}"}]}
