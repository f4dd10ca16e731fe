"""MEASURES is the only table of families: other code of metrics refers to its rows, and types no family's name.

Many families are called as other things are: a KPI, a status, a model's output. `OTHER_MEANINGS` lists where such a word is typed
and what it means there.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.metrics.domain.measures import MEASURES

ROOT = Path(__file__).parents[3]
METRICS = ROOT / "services" / "metrics"

TABLE = {"domain/measures.py", "domain/ticket_measures.py"}
"""The modules of the table itself."""

FIELD = "a field of a JSON body"
EXAMPLE = "an example in the OpenAPI document"
KPI = "the id of a KPI"
STATUS = "a status of a ticket"
COLUMN = "a column of the export of tickets"
TARGET = "an SLA target, a field of a policy"
REASON = "a reason for which something is left out, or that of which it is one"
SWITCHES = "a group of a preset's switches, a field of a JSON body"
QUESTION = "the kind of a question in an event"

OTHER_MEANINGS: dict[str, dict[str, str]] = {
    "api/dependencies.py": {"nps": EXAMPLE},
    "api/gold.py": {"label": FIELD},
    "api/history.py": {"first_reply:replied": EXAMPLE, "csat:1..5+4": EXAMPLE, "opened": EXAMPLE},
    "api/internal.py": {"nps": EXAMPLE},
    "api/models.py": {"comments": FIELD, "label": FIELD},
    "api/preset_bodies.py": {"first_reply": SWITCHES, "dropped": SWITCHES},
    "api/presets.py": {"first_reply": EXAMPLE},
    "api/schemas.py": {"nps": EXAMPLE, "csat:1..5+4": EXAMPLE},
    "api/sla.py": {"urgent": EXAMPLE, "first_reply": EXAMPLE},
    "api/tickets.py": {"opened": "a value of the parameter `filed_by`"},
    "api/upcoming.py": {"urgent": EXAMPLE},
    "domain/facts.py": {"solved": STATUS},
    "domain/forms.py": {"nps": QUESTION, "csat": QUESTION},
    "domain/impact.py": {"nps": KPI, "csat": KPI, "sentiment": KPI},
    "domain/kpis.py": {"nps": KPI, "csat": KPI, "ces": KPI, "stars": "the id of a KPI, and a unit", "sentiment": KPI},
    "domain/measure.py": {
        "label": "a bin scheme, a unit, and the kind of a record",
        "sentiment": "a bin scheme",
        "stars": "a unit",
        "abstained": "the kind of a record",
        "urgent": "the kind of a record",
    },
    "domain/presets.py": {"csat": KPI},
    "domain/shadow.py": {"sentiment": KPI},
    "domain/sla_kpis.py": {"sla_first_reply": KPI, "sla_next_reply": KPI, "sla_resolution": KPI},
    "domain/sla_rows.py": {"first_reply": TARGET, "next_reply": TARGET},
    "domain/sla_reasons.py": {"first_reply": TARGET, "next_reply": TARGET},
    "domain/sla_targets.py": {"first_reply": TARGET, "next_reply": TARGET},
    "domain/statuses.py": {"solved": STATUS},
    "domain/support_kpis.py": {
        "backlog": KPI,
        "backlog_age": KPI,
        "requester_wait": KPI,
        "agent_wait": KPI,
        "agent_replies": KPI,
    },
    "domain/ticket_columns.py": {"opened": COLUMN, "solved": COLUMN, "csat": COLUMN},
    "evaluation/left_out.py": {
        "dropped": REASON,
        "responses": REASON,
        "comments": REASON,
        "label": "the kind of a record",
    },
    "evaluation/records.py": {
        "label": "the kind of a record",
        "abstained": "the kind of a record",
        "urgent": "the kind of a record",
    },
    "evaluation/tickets.py": {"opened": "a value of the parameter `filed_by`", "solved": "a value of the parameter `filed_by`"},
    "verify/battery.py": {"nps": KPI, "csat": KPI, "sentiment": KPI},
}
"""By file below services/metrics: the words that are no families there, with their meanings."""


QUOTED = re.compile(r"'([^' \n]+)'")
"""A string literal of SQL."""


def literals_of(source: str) -> Iterator[str]:
    """The string literals of a module, those in f-strings too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def family_names(source: str) -> set[str]:
    """The literals of a module that are the name of a family, or that begin with it and a colon, and those in SQL."""
    texts = {word for text in literals_of(source) for word in (text, *QUOTED.findall(text))}
    return {text for text in texts if text.partition(":")[0] in MEASURES and not set(text) & set(" \n")}


def test_no_module_but_the_table_types_the_name_of_a_family() -> None:
    names = {
        str(path.relative_to(METRICS)): family_names(path.read_text())
        for path in sorted(METRICS.rglob("*.py"))
        if "migrations" not in path.parts
    }
    typed = {
        path: sorted(words - OTHER_MEANINGS.get(path, {}).keys())
        for path, words in names.items()
        if path not in TABLE and words - OTHER_MEANINGS.get(path, {}).keys()
    }
    assert typed == {}, "refer to a row of MEASURES, such as NPS.family or FIRST_REPLY.named(...)"
    unused = {path: sorted(words.keys() - names.get(path, set())) for path, words in OTHER_MEANINGS.items()}
    assert {path: words for path, words in unused.items() if words} == {}, "remove these from OTHER_MEANINGS"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('row = "first_reply"\n', {"first_reply"}),
        ('row = "first_reply:replied"\n', {"first_reply:replied"}),
        ('row = f"label:{model}"\n', {"label:"}),
        ('row = f"{prefix}reply"\n', set()),
        ("query = \"SELECT 1 FROM contributions WHERE measure = 'nps'\"\n", {"nps"}),
        ('"""The comments of a subject."""\n', set()),
        ("row = FIRST_REPLY.family\n", set()),
    ],
)
def test_the_name_of_a_family_is_recognised(source: str, names: set[str]) -> None:
    assert family_names(source) == names
