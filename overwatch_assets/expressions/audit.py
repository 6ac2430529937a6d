"""What an audit event says: whether it succeeded, its parameters, who asked."""

import polars as pl

RESPONSE = pl.Struct({"errorMessage": pl.String, "result": pl.String, "statusCode": pl.Int64})
"""What a request was answered."""

REQUEST_DETAILS = pl.Struct(
    {
        "requestId": pl.String,
        "response": RESPONSE,
        "sessionId": pl.String,
        "sourceIPAddress": pl.String,
        "userAgent": pl.String,
    }
)
"""Where a request came from and what it was answered."""

SSH_LOGIN_DETAILS = pl.Struct(
    dict.fromkeys(
        (
            "instance_id",
            "login_port",
            "session_id",
            "login_public_key",
            "container_id",
            "container_user_name",
        ),
        pl.String,
    )
)
"""Where a shell was opened, and with which key."""


def is_successful() -> pl.Expr:
    """Whether the request was carried out."""
    status = pl.col("response").struct.field("statusCode")
    return (status == 200).fill_null(value=False)  # noqa: PLR2004 - HTTP's OK


def is_command() -> pl.Expr:
    """Whether an event tells that a command in a notebook ended."""
    return (pl.col("serviceName") == "notebook") & (pl.col("actionName") == "runCommand")


def parameters(*names: str) -> pl.Expr:
    """Parameters as a struct of texts; absent ones are null.

    Bronze writes them as one JSON object of texts, so that nothing here can fail.
    """
    return pl.col("requestParams").str.json_decode(pl.Struct(dict.fromkeys(names, pl.String)))


def of_result(name: str) -> pl.Expr:
    """A field of the answer's JSON text; null: the answer does not have it."""
    return pl.col("response").struct.field("result").str.json_path_match(f"$.{name}")


def user_email() -> pl.Expr:
    """Who asked; null: nobody is named."""
    return pl.col("userIdentity").struct.field("email")


def response() -> pl.Expr:
    """`RESPONSE` of an event; null: none was told."""
    told = pl.col("response").struct
    fields = pl.struct(told.field(each.name) for each in RESPONSE.fields)
    return pl.when(pl.col("response").is_not_null()).then(fields).alias("response")


def request_details() -> pl.Expr:
    """`REQUEST_DETAILS` of an event."""
    told = pl.col("response").struct
    return pl.struct(
        "requestId",
        pl.struct(told.field(each.name) for each in RESPONSE.fields).alias("response"),
        "sessionId",
        "sourceIPAddress",
        "userAgent",
    )
