"""The one parser of ISO 8601 that readers of exports and of servers share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from followkit.sources.exports.moments import parse_moment, read_moment
from followkit.sources.exports.reading import written_time

AT = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01T10:00:00Z", "2024-05-01T10:00:00z", "2024-05-01 10:00", "2024-05-01T12:00+02",
        "2024-05-01T10:00:00 UTC", "2024-05-01T15:30:00+05:30", "2024-04-30T22:00:00-1200",
        "2024-05-01T10:00:00.000000000Z",
    ],
)  # fmt: skip
def test_ways_to_write_one_moment(text: str) -> None:
    assert parse_moment(text) == read_moment(text) == written_time(f" {text} ") == AT


@pytest.mark.parametrize(
    "text",
    [
        "", "2024-05", "01/05/2024", "2024-13-01", "2024-02-30T10:00:00Z", "2024-05-01T25:00:00Z",
        "2024-05-01T10:00:00+99:99", "0001-01-01T00:00:00+01:00", "20240501", "2024-05-01T10",
        "2024-05-01T10:00:00Z" + " " * 40, "٢٠٢٤-05-01", "2024-05-01T10:00:00.Z",
    ],
)  # fmt: skip
def test_what_is_no_moment(text: str) -> None:
    assert parse_moment(text) is None
    assert read_moment(text) is None


@pytest.mark.parametrize(
    "value", [None, 1714557600, True, ["2024-05-01"], "1997-05-01", "2100-01-01"]
)
def test_moments_that_no_platform_can_have(value: Any) -> None:
    assert read_moment(value) is None


def test_parts_of_a_second() -> None:
    assert parse_moment("2024-05-01T10:00:00.5Z") == AT.replace(microsecond=500_000)
    assert parse_moment("2024-05-01T10:00:00,1234567Z") == AT.replace(microsecond=123_456)
    assert written_time("2024-05-01T10:00:00.999Z") == AT
    assert written_time("1997-05-01") == datetime(1997, 5, 1, tzinfo=UTC)
