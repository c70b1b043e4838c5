"""What experiments write down."""

from __future__ import annotations

import json

from blurmapper.laboratory.provenance import to_json


def test_what_is_not_finite_is_null_as_json_knows_no_nan() -> None:
    values = {"scores": [{"ods": float("nan")}, (1.5, float("inf"))], "name": "dbm"}
    assert json.loads(to_json(values), parse_constant=_refuse) == {
        "scores": [{"ods": None}, [1.5, None]],
        "name": "dbm",
    }


def _refuse(constant: str) -> None:
    raise AssertionError(constant)
