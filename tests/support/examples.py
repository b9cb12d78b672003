"""How much a generated test tries: little on each run, much with EXAMPLES=many, as `make test-all` sets it."""

import os


def examples(few: int, many: int) -> int:
    return many if os.environ.get("EXAMPLES") == "many" else few
