"""A file that is broken says where, before anything of it is taken in."""

from pathlib import Path

import pytest

from returns_portal import csvfiles
from returns_portal.csvfiles import Layout
from returns_portal.errors import InvalidError

LAYOUT = Layout(key="number", most=500, head="total", required=frozenset({"number", "total"}))


def written(folder: Path, content: bytes | str) -> Path:
    path = folder / "orders.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


BROKEN: list[tuple[bytes, str]] = [
    (b"", "The file is empty."),
    (b"\n", "The file is empty."),
    (b"\xef\xbb\xbf", "The file is empty."),
    (b"number;total;note\n1;2;3\n", "not separated by commas"),
    (b"number\ttotal\n1\t2\n", "not separated by commas"),
    (b"number,note\n1,2\n", "lacks the columns total"),
    (b"number,total,total\n1,2,3\n", "Two columns"),
    ("number,total\n1,é\n".encode("latin-1"), "not UTF-8 at line 2"),
    ("number,total\n1,2\n".encode("utf-16"), "not UTF-8 at line 1"),
    (b'number,total\n1,2\n2,"3\n4,5\n', "not well-formed CSV at line 4: unexpected end of data"),
    (b'number,total\n1,"2"3\n', "not well-formed CSV at line 2"),
    (b"number,total\n1," + b"x" * 200_000 + b"\n", "not well-formed CSV at line 2: field larger"),
    (b"number,total\n" + b"x," * 600_000, "Line 2 is too long"),
]


@pytest.mark.parametrize(("content", "reason"), BROKEN)
def test_a_broken_file_says_where(tmp_path: Path, content: bytes, reason: str) -> None:
    path = written(tmp_path, content)
    for use in (csvfiles.inspect, lambda path, layout: list(csvfiles.read(path, layout))):
        with pytest.raises(InvalidError, match=reason) as caught:
            use(path, LAYOUT)
        assert (caught.value.code, caught.value.field) == ("bad_file", "file")


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_orders_are_told_apart_and_know_their_lines(tmp_path: Path, bom: bytes, end: str) -> None:
    rows = ["number,total,note", '1,5,"two', 'lines"', "1,,x", "", "2,6,y", "1,,apart", "2,7,again", "2,8,again"]
    path = written(tmp_path, bom + end.join(rows).encode())
    found = [(order.line, order.key, len(order.rows), order.head["total"]) for order in csvfiles.read(path, LAYOUT)]
    assert found == [(2, "1", 2, "5"), (6, "2", 1, "6"), (7, "1", 1, ""), (8, "2", 1, "7"), (9, "2", 1, "8")]
    assert csvfiles.inspect(path, LAYOUT) == 6


def test_rows_of_another_width_are_reported_with_their_line(tmp_path: Path) -> None:
    path = written(tmp_path, "number,total\n1,5\n1,,too many\n1\n2,6\n")
    assert [(order.key, order.misshapen) for order in csvfiles.read(path, LAYOUT)] == [("1", 3), ("2", 0)]


def test_rows_without_end_of_one_number_are_not_held_in_memory(tmp_path: Path) -> None:
    path = written(tmp_path, "number,total\n" + ",\n" * 10 + "1,5\n" + "1,\n" * 5000)
    *_, order = csvfiles.read(path, LAYOUT)
    assert len(order.rows) == LAYOUT.most + 1


def test_cells_are_read_as_what_they_are() -> None:
    row = {
        "a": " 79.90 ",
        "b": "13184.00",
        "c": "",
        "d": "2",
        "t": "2026-10-05 00:41:00 +0200",
        "u": "2026-10-05 00:41:00 UTC",
    }
    assert (csvfiles.amount(row, "a", "EUR"), csvfiles.amount(row, "b", "JPY"), csvfiles.amount(row, "c", "EUR")) == (
        7990,
        13184,
        0,
    )
    assert csvfiles.count(row, "d") == 2
    assert str(csvfiles.moment(row, "t")) == "2026-10-05 00:41:00+02:00"
    assert str(csvfiles.moment(row, "u")) == "2026-10-05 00:41:00+00:00"
    assert csvfiles.moment(row, "c") is None


@pytest.mark.parametrize("cell", ["1,034.90", "€5", "1e3", "NaN", "٣", "1_000", "0.001", "Infinity"])
def test_what_is_no_amount_is_refused(cell: str) -> None:
    with pytest.raises(InvalidError) as caught:
        csvfiles.amount({"Total": cell}, "Total", "EUR")
    assert caught.value.field == "Total"


@pytest.mark.parametrize("cell", ["", "-1", "1.5", "two", "9999999999"])
def test_what_is_no_count_is_refused(cell: str) -> None:
    with pytest.raises(InvalidError):
        csvfiles.count({"n": cell}, "n")


@pytest.mark.parametrize("cell", ["yesterday", "2026-13-01 00:00:00 +0200", "05/10/2026"])
def test_what_is_no_time_is_refused(cell: str) -> None:
    with pytest.raises(InvalidError):
        csvfiles.moment({"t": cell}, "t")
