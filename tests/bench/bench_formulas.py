"""A formula in filter and sort beside the same statement in SQL on narrow rows, and a page with computed columns."""

import http.client
import json
import sys
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.bench.bench_api import ROWS, Client, median, server

SLOTS = "SELECT column_id, slot FROM columns WHERE sheet_id = %s AND slot IS NOT NULL"
# A formula is filtered and sorted by on narrow rows, and the cells of the hundred rows that are left are read.
RATES = "WHEN 'o1' THEN 0.05 WHEN 'o2' THEN 0.2 WHEN 'o3' THEN 0.45 WHEN 'o4' THEN 0.7 WHEN 'o5' THEN 1 ELSE 0"
VALUE = f"{{amount}} * CASE {{stage}} {RATES} END"
PAGE = """
    WITH cut AS (
        SELECT row_id, {value} AS key FROM narrow_rows WHERE sheet_id = %(sheet)s AND {value} >= %(least)s
        ORDER BY key DESC NULLS LAST, row_id LIMIT 100
    )
    SELECT cut.row_id, r.values::text FROM cut JOIN rows r ON r.sheet_id = %(sheet)s AND r.row_id = cut.row_id
    ORDER BY cut.key DESC NULLS LAST, cut.row_id
"""
FORMULA = "{Amount} * PROBABILITY({Stage})"
EIGHT = [
    FORMULA,
    "TODAY() - {Created}",
    "{Expected close} - {Created}",
    'IF({Stage} = "Won", {Amount}, 0)',
    '{Deal} & " (" & {Stage} & ")"',
    "ROUND({Amount} / 7, 2)",
    'AND(STAGEKIND({Stage}) = "open", {Expected close} < TODAY())',
    "IFERROR({Amount} / ({Amount} - 100), 0)",
]
TIMES = 40


def main() -> None:
    with server() as (raw, client):
        slots = {column: f'"{slot}"' for column, slot in raw.execute(SLOTS, (client.sheet,)).fetchall()}
        plain = page_times(client)
        columns = [add(client, place, formula) for place, formula in enumerate(EIGHT)]
        with_eight = page_times(client)
        ratio = with_eight / plain
        sys.stdout.write(f"page of 100 rows without computed columns {plain:.1f} ms\n")
        sys.stdout.write(f"  with eight formulas  {with_eight:.1f} ms, {ratio:.2f} × (promised ≤ 1.3)\n")
        for column in columns[1:]:
            remove(client, column)
        compare(raw, client, columns[0], slots)


def compare(raw: psycopg.Connection[Any], client: Client, column: int, slots: dict[int, str]) -> None:
    statement = PAGE.format(value=VALUE.format(stage=slots[3], amount=slots[4]))
    fixed = {"sheet": client.sheet}
    by_hand = median(lambda n: raw.execute(statement, fixed | {"least": n}).fetchall(), TIMES)
    client = Client(client.port, client.token, client.sheet)  # The server closes connections that stand idle.

    def ask(least: int) -> Any:
        nodes = json.dumps([{"column": column, "op": "gte", "value": least}])
        query = urlencode({"filter": nodes, "sort": f"-{column}", "limit": 100, "offset": 0})
        return client.ask("GET", f"/rows?{query}")

    page = median(ask, TIMES)
    sys.stdout.write(f"formula in filter and sort over {ROWS:,}: SQL on narrow rows {by_hand:.1f} ms\n")
    sys.stdout.write(f"  by the API           {page:.1f} ms, {page / by_hand:.2f} × (promised ≤ 1.6)\n")


def page_times(client: Client) -> float:
    client = Client(client.port, client.token, client.sheet)
    return median(lambda n: client.ask("GET", f"/rows?offset={n * 100}&limit=100"), TIMES)


def add(client: Client, place: int, formula: str) -> int:
    body = {"name": f"Formula {place}", "type": "formula", "rules": {"formula": formula}}
    return int(_send(client, "POST", "/columns", body)["id"])


def remove(client: Client, column: int) -> None:
    _send(client, "DELETE", f"/columns/{column}")


def _send(client: Client, method: str, path: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", client.port)
    content = None if body is None else json.dumps(body)
    connection.request(method, f"/api/v1/sheets/{client.sheet}{path}", content, client.headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


if __name__ == "__main__":
    main()
