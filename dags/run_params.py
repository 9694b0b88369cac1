"""The fields of the DAGs' trigger forms, each with the bounds that Airflow enforces before a run exists.

Optional fields accept null as well as their empty value: the form sends null when a field is cleared.
A pattern ends with `$(?!\\n)` because Python's `$` alone lets a line break follow.
"""

from __future__ import annotations

import runners
from airflow.sdk import Param

NATIONALITY_CODES = "au br ca ch de dk es fi fr gb ie in ir mx nl no nz rs tr ua us".split()

# The API reads a seed of this length as an order to override the nationality.
REFUSED_SEED_LENGTH = 18

_CODE = f"(?:{'|'.join(NATIONALITY_CODES)})"


def users() -> Param:
    return Param(
        1000,
        type="integer",
        minimum=1,
        maximum=1_000_000,
        title="Number of users",
        description="How many users to fetch from the API, 1 to 1,000,000.",
    )


def page_size() -> Param:
    return Param(
        1000,
        type="integer",
        minimum=1,
        maximum=5000,
        title="Users in a page",
        description="How many users to ask for in one request, 1 to 5,000 (the API's own limit).",
    )


def seed() -> Param:
    return Param(
        "",
        type=["string", "null"],
        pattern=rf"^(?!.{{{REFUSED_SEED_LENGTH}}}$)[A-Za-z0-9_.~:+-]{{0,100}}$(?!\n)",
        maxLength=100,
        title="Seed",
        description_md=(
            "The same seed gives the same users. Leave it empty to take the id of the run, so that a retried or "
            "cleared run fetches the same users again. Letters, digits and `_.~:+-`, at most 100, but **not exactly "
            f"{REFUSED_SEED_LENGTH}**: the API reads a seed of that length as a choice of nationality."
        ),
    )


def nationalities(description: str) -> Param:
    return Param(
        "",
        type=["string", "null"],
        pattern=rf"^(?:{_CODE}(?:,{_CODE}){{0,{len(NATIONALITY_CODES) - 1}}})?$(?!\n)",
        title="Nationalities",
        description_md=f"{description} Two-letter codes with commas and no spaces, such as `gb,fr`; "
        f"empty means all: {', '.join(NATIONALITY_CODES)}.",
    )


def min_age() -> Param:
    return Param(
        0,
        type="integer",
        minimum=0,
        maximum=120,
        title="Minimum age",
        description="Leave out users younger than this, 0 to 120; 0 leaves nobody out. Both jobs get the same filter.",
    )


def api_url() -> Param:
    return Param(
        "",
        type=["string", "null"],
        # No `@`: a user name or password in an address would end in the log.
        pattern=r"^(?:https?://[A-Za-z0-9][A-Za-z0-9._~:/?#\[\]!$&'()*+,;=%-]*)?$(?!\n)",
        maxLength=500,
        title="Address of the API",
        description_md=(
            "Where to fetch from, such as `https://randomuser.me/api/`. Leave it empty to take "
            "`STREAMFLOW_API_URL` of the Airflow workers, and without that the public API."
        ),
    )


def runner() -> Param:
    return Param(
        runners.default(),
        type="string",
        enum=list(runners.NAMES),
        title="Runner",
        description_md=(
            "Where the program runs: `bash`, as a process of the Airflow worker; `docker`, in a container of the image that "
            "`make image` makes; `spark`, on the workers of the Spark cluster that the connection `spark-conn` leads to. "
            "The result is the same. `STREAMFLOW_RUNNER` of the Airflow servers sets the default."
        ),
    )


def members() -> Param:
    return Param(
        1,
        type="integer",
        minimum=1,
        maximum=64,
        title="Members",
        description_md=(
            "How many members of its consumer group each job starts, 1 to 64; more than one with the runner `spark` only. "
            "More than the topic has partitions (6, unless `streamflow init` was told otherwise) gives the others nothing to do."
        ),
    )
