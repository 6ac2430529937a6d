import base64
import json
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.secrets import looks_secret
from overwatch_assets.sources.secret_texts import struck_out, texts_struck_out

STRUCK = [
    ("token dapi0123456789abcdef-2 used", "token [REDACTED] used"),
    ("Authorization: Bearer abc.def-ghi x", "Authorization: Bearer [REDACTED] x"),
    ('{"Authorization": "Basic dXNlcjpwYXNz"}', '{"Authorization": "Basic [REDACTED]"}'),
    ("https://a.net/c?sv=2024&sig=ab%3D&x=1", "https://a.net/c?sv=2024&sig=[REDACTED]&x=1"),
    ("a%3Fsv%3D1%26sig%3Dab%252F", "a%3Fsv%3D1%26sig%3D[REDACTED]"),
    ("http://user:hunter22@proxy:3128/", "http://user:[REDACTED]@proxy:3128/"),
    ("jdbc:mysql://u:hunter22@h/db", "jdbc:mysql://u:[REDACTED]@h/db"),
    ("https%3A%2F%2Fu%3Ahunter22%40h", "https%3A%2F%2Fu%3A[REDACTED]%40h"),
    ("Endpoint=sb://x/;SharedAccessKey=ab=;E", "Endpoint=sb://x/;SharedAccessKey=[REDACTED];E"),
    ("--conf fs.s3a.secret.key=AbC/1 -x", "--conf fs.s3a.secret.key=[REDACTED] -x"),
    ("eyJhbGciOiJSUzI1NiJ9.e30.abc", "[REDACTED]"),
    ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "[REDACTED]"),
]
KEPT = [
    "https://host:8080/path@v1",
    "maria@acme.example reads https://a.example",
    "s3://bucket/path",
    "the secretary",
    "passes",
]


@pytest.mark.parametrize(("text", "expected"), STRUCK)
def test_what_looks_like_a_secret_is_struck_out_and_the_rest_stays(
    text: str, expected: str
) -> None:
    assert struck_out(text) == expected
    assert struck_out(expected) == expected


@pytest.mark.parametrize("text", KEPT)
def test_an_ordinary_text_stays(text: str) -> None:
    assert struck_out(text) == text


@pytest.mark.parametrize(
    "form",
    [
        "pa55 word/+",
        quote("pa55 word/+", safe=""),
        base64.b64encode(b"pa55 word/+").decode(),
        base64.urlsafe_b64encode(b"pa55 word/+").decode(),
    ],
)
def test_a_known_secret_is_found_whatever_it_looks_like(form: str) -> None:
    assert struck_out(f"body {form}.", known=["pa55 word/+"]) == "body [REDACTED]."


def test_a_known_secret_too_short_to_be_told_from_a_word_is_left() -> None:
    assert struck_out("a body", known=["a"]) == "a body"


@given(st.lists(st.sampled_from([text for text, _ in STRUCK]) | st.text(max_size=12)))
def test_json_stays_json_and_nothing_that_looks_secret_is_left(parts: list[str]) -> None:
    text = json.dumps({"parts": parts})
    left = json.loads(struck_out(text))
    assert len(left["parts"]) == len(parts)
    assert struck_out(json.dumps(left)) == json.dumps(left)
    assert not any(looks_secret(part) and "[REDACTED]" not in part for part in left["parts"])


@given(st.lists(st.none() | st.sampled_from([text for text, _ in STRUCK]) | st.text(max_size=12)))
def test_a_column_is_struck_out_like_its_texts(texts: list[str | None]) -> None:
    expected = [None if text is None else struck_out(text) for text in texts]
    assert texts_struck_out(pl.Series(texts, dtype=pl.String)).to_list() == expected
