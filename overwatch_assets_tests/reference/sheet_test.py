import codecs
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.reference import sheet
from overwatch_assets.reference.checking import checked
from overwatch_assets.reference.layout import DBU_COST_DETAILS, INSTANCE_DETAILS, PRICE_LAYOUTS
from overwatch_assets.reference.problems import errors_of
from overwatch_assets.reference.sheet import LINE, sheet_of_csv, sheet_of_rows

PLAIN = "sku,contract_price\ninteractive,0.5\nautomated,0.2\n"


def cells(content: bytes | str) -> list[tuple[object, ...]]:
    """Rows with their lines; fails where anything is wrong with the file."""
    read = sheet_of_csv("prices.csv", [content if isinstance(content, bytes) else content.encode()])
    assert [str(problem) for problem in read.problems] == []
    return read.cells.rows()


def refused(content: bytes | str) -> str:
    read = sheet_of_csv("prices.csv", [content if isinstance(content, bytes) else content.encode()])
    [problem] = read.problems
    assert not problem.is_warning
    return str(problem)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        codecs.BOM_UTF8 + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.strip().encode(),
    ],
    ids=["plain", "byte order mark", "CRLF", "CR", "no last newline"],
)
def test_what_programs_write_is_read(content: bytes) -> None:
    assert cells(content) == [("interactive", "0.5", 2), ("automated", "0.2", 3)]


def test_blank_lines_and_blanks_around_cells_do_not_count() -> None:
    text = "\n sku , contract_price \n\n interactive ,\t0.5\n , \n"
    assert cells(text) == [("interactive", "0.5", 4)]


def test_null_is_a_blank_cell() -> None:
    assert cells("a,b\nNull,1\n") == [(None, "1", 2)]


def test_a_row_stands_in_the_line_it_begins_in() -> None:
    text = 'a,b\n"two\nlines",1\n2,"with ""quotes"", and comma"\n'
    assert cells(text) == [("two\nlines", "1", 2), ("2", 'with "quotes", and comma', 4)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "prices.csv: the file holds no rows. Write a header and rows, or take"),
        ("\n \n", "prices.csv: the file holds no rows"),
        ("sku,contract_price\n", "prices.csv: the file holds no rows"),
        (
            "sku;contract_price\ninteractive;0,55\n",
            "prices.csv, line 1: the fields are separated by semicolons. Save it with commas",
        ),
        ("sku\tcontract_price\n", "line 1: the fields are separated by tabs. Save it with commas"),
        (PLAIN.encode("utf-16"), "prices.csv: the file is UTF-16 text. Save it as CSV UTF-8."),
        (
            "sku,contract_price\nZürich,1\n".encode("latin-1"),
            "prices.csv, line 2: the file is not UTF-8 text. Save it as CSV UTF-8.",
        ),
        ('a,b\n1,2\n3,"4\n', "line 3: this is no CSV: unexpected end of data. Close the quotes"),
        ('a,b\n1,"2"3\n', "line 2: this is no CSV: ',' expected after '\"'. Close the quotes"),
        ("a,b\n1\n", "line 2: the line has 1 fields, the header has 2. Write one field"),
        (f"a,b\n1,{'x' * 200_000}\n", "line 2: this is no CSV: field larger than field limit"),
    ],
)
def test_what_is_no_csv_is_refused_with_its_line_and_a_remedy(
    content: bytes | str, message: str
) -> None:
    assert message in refused(content)


def test_rows_beside_a_ragged_line_are_read() -> None:
    read = sheet_of_csv("prices.csv", [b"a,b\n1,2\n3\n4,5\n"])
    assert read.cells[LINE].to_list() == [2, 4]
    assert len(read.problems) == 1


def test_a_file_beyond_all_bounds_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sheet, "LARGEST_BYTES", 2_000_000)
    given: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            given.append(1)
            yield b"x" * 100_000

    [problem] = sheet_of_csv("prices.csv", endless()).problems
    assert str(problem).startswith("prices.csv: the file is larger than 2 MB")
    assert len(given) == 21


def test_a_million_lines_are_read() -> None:
    rows = "".join(f"m5.{number},0.1\n" for number in range(1_000_000))
    content = f"API_Name,Compute_Contract_Price\n{rows}".encode()
    read = checked(sheet_of_csv("prices.csv", [content]), INSTANCE_DETAILS)
    assert (read.rows.height, read.problems) == (1_000_000, ())


def test_more_rows_than_a_price_list_can_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MOST_ROWS", 2)
    assert cells(PLAIN)
    assert "line 4: the file has more than 1,000,000 rows" in refused(f"{PLAIN}dlt,0.2\n")


def test_thousands_of_wrong_lines_are_told_in_short() -> None:
    text = "sku,contract_price\n" + "interactive,0,5\n" * 5000
    problems = sheet_of_csv("prices.csv", [text.encode()]).problems
    assert len(problems) == 201
    assert "there are 4,800 more problems" in str(problems[-1])


def test_rows_of_a_table_are_cells_without_lines() -> None:
    rows = pl.DataFrame(
        {"sku": ["dlt"], "price": [0.25], "since": ["2024-01-01 00:00"], "nested": [[1]]}
    ).with_columns(pl.col("since").str.to_datetime())
    read = sheet_of_rows("/lake/prices", rows)
    assert read.cells.rows() == [("dlt", "0.25", "2024-01-01", None, None)]
    [problem] = sheet_of_rows("/lake/prices", rows.clear()).problems
    assert str(problem).startswith("/lake/prices: the file holds no rows. Write a header and")


_NASTY = (
    "",
    "null",
    "m5.large",
    " M5.LARGE ",
    "interactive",
    "Interactiv",
    "2X-Small",
    "XX_SMALL",
    "aws",
    "true",
    "-1",
    "-0",
    "0",
    "0.5",
    "0,5",
    "1_000",
    "1e400",
    "NaN",
    "99999999999999999999",
    "2024-01-01",
    "2024-02-01",
    "2024-02-30",
    "0000-00-00",
    "9999-12-31",
    "x" * 300,
    "\N{GRINNING FACE}",
    "\x00",
    "{}",
)
_TOKEN = st.one_of(st.sampled_from([*_NASTY, ",", ",", "\n", "\n", '"']), st.text(max_size=3))
_BODY = st.lists(_TOKEN, max_size=12).map("".join)
_HEADERS = (
    "API_Name,vCPUs,Memory_GB,Hourly_DBUs",
    "API_name,Name,Compute_Contract_Price,activeFrom,activeUntil,isActive",
    "organization_id,cloud,API_Name,On_Demand_Cost_Hourly,,price",
    "sku,contract_price,activeFrom,activeUntil",
    "SKU,contract_price,sku,isActive",
    "cloud,cluster_size,driver_size,worker_count,total_dbus,activeFrom",
)
_SCRAPS = st.lists(
    st.sampled_from(["sku", "contract_price", ",", "\n", "\r", '"', ";", "0,5", "\t", "\ufeff"])
).map("".join)


def tell(content: bytes) -> None:
    """Check a document as the first layout whose key stands in it, and show what is wrong."""
    layout = next(
        (each for each in PRICE_LAYOUTS if each.key_columns[-1].encode() in content), None
    )
    read = checked(sheet_of_csv("prices.csv", [content]), layout or DBU_COST_DETAILS)
    assert all(str(problem).startswith("prices.csv") for problem in read.problems)
    assert read.rows.height or errors_of(read.problems)


_SCRAP = st.one_of(st.binary(max_size=40), _SCRAPS.map(str.encode))


@settings(max_examples=900)
@given(st.lists(_SCRAP, min_size=10, max_size=10))
def test_no_file_is_too_bad_to_be_told_about(contents: list[bytes]) -> None:
    for content in contents:
        tell(content)


@settings(max_examples=250)
@given(
    st.sampled_from(_HEADERS),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(_BODY, min_size=4, max_size=4),
)
def test_no_row_is_too_bad_to_be_told_about(header: str, ending: str, bodies: list[str]) -> None:
    for body in bodies:
        tell(f"{header}\n{body}".replace("\n", ending).encode())
