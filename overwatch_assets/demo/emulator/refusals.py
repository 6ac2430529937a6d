"""How the API says no: a status, and a body of `error_code` and `message`."""

from http import HTTPStatus


class Refused(Exception):
    """An answer that is an error.

    Attributes:
        status: HTTP status.
        code: Databricks' error code; a number where Databricks writes one.
    """

    def __init__(self, status: int, code: str | int, message: str) -> None:
        """Keep what the body says."""
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def body(self) -> dict[str, object]:
        """The answer's body."""
        return {"error_code": self.code, "message": str(self)}


def invalid(message: str) -> Refused:
    """A parameter makes no sense, or names a cluster, job or run that does not exist."""
    return Refused(HTTPStatus.BAD_REQUEST, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> Refused:
    """What was asked for does not exist."""
    return Refused(HTTPStatus.NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", message)
