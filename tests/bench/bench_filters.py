"""The first page of a filter never asked before, beside the same statement in SQL on narrow rows, in one run."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.bench.bench_api import ROWS, STAGES, Client, median, server

# What the API reads, by hand: filter and sort on narrow rows, the hundred cut ids, then their cells.
SLOTS = "SELECT column_id, slot FROM columns WHERE sheet_id = %s AND slot IS NOT NULL"
PAGE = """
    WITH cut AS (
        SELECT row_id, {close} AS key FROM narrow_rows
        WHERE sheet_id = %(sheet)s AND {tests} ORDER BY key DESC NULLS LAST, row_id LIMIT 100
    )
    SELECT cut.row_id, r.values::text FROM cut JOIN rows r ON r.sheet_id = %(sheet)s AND r.row_id = cut.row_id
    ORDER BY cut.key DESC NULLS LAST, cut.row_id
"""
LIST = "{stage} = ANY(%(stages)s) AND {amount} >= %(least)s"
TREE = "({stage} = ANY(%(stages)s) OR {close} IS NULL) AND ({amount} >= %(least)s OR {owner} = ANY(%(owners)s))"
TIMES = 40


def main() -> None:
    with server() as (raw, client):
        slots = {column: f'"{slot}"' for column, slot in raw.execute(SLOTS, (client.sheet,)).fetchall()}
        for name, tests, nodes in (("list", LIST, as_list), ("tree", TREE, as_tree)):
            compare(raw, client, name, tests, nodes, slots)


def compare(
    raw: psycopg.Connection[Any], client: Client, name: str, tests: str, nodes: Any, slots: dict[int, str]
) -> None:
    columns = {"stage": slots[3], "amount": slots[4], "owner": slots[5], "close": slots[7]}
    statement = PAGE.format(tests=tests.format(**columns), **columns)
    fixed = {"sheet": client.sheet, "stages": STAGES, "owners": ["1"]}
    by_hand = median(lambda n: raw.execute(statement, fixed | {"least": n}).fetchall(), TIMES)
    client = Client(client.port, client.token, client.sheet)  # The server closes connections that stand idle.
    page = median(lambda n: client.ask("GET", query("rows", nodes(n), offset=0)), TIMES)
    order = median(lambda n: client.ask("GET", query("order", nodes(n + 1000))), TIMES)
    other = Client(client.port, client.token, client.sheet)
    with ThreadPoolExecutor(1) as pool:

        def beside(n: int) -> None:
            """Ask for the page while the order of the view is made, as the grid does."""
            pending = pool.submit(other.ask, "GET", query("order", nodes(n + 2000)))
            client.ask("GET", query("rows", nodes(n + 2000), offset=0))
            waiting.append(pending)

        waiting: list[Any] = []
        both = median(beside, TIMES)
        for pending in waiting:
            pending.result()
    title = f"first page of a new filter ({name}) over {ROWS:,}, sorted"
    sys.stdout.write(f"{title}: SQL on narrow rows {by_hand:.1f} ms\n")
    sys.stdout.write(f"  by the API            {page:.1f} ms, {page / by_hand:.2f} × (promised ≤ 1.5)\n")
    sys.stdout.write(f"  beside its order      {both:.1f} ms; the order alone {order:.1f} ms\n")


def query(path: str, nodes: Any, **more: int) -> str:
    return f"/{path}?" + urlencode({"filter": json.dumps(nodes), "sort": "-7", "limit": 100} | more)


def as_list(least: int) -> Any:
    return [{"column": 3, "op": "is_any_of", "value": STAGES}, {"column": 4, "op": "gte", "value": least}]


def as_tree(least: int) -> Any:
    stage, amount = as_list(least)
    owner = {"column": 5, "op": "is_any_of", "value": ["me"]}
    return {"all": [{"any": [stage, {"column": 7, "op": "is_empty"}]}, {"any": [amount, owner]}]}


if __name__ == "__main__":
    main()
