"""`earshot explain` and `earshot tickets`: how a number comes about, and the tickets behind numbers."""

from typing import Annotated, Any

import typer

from services.gateway.cli_tools import AsJson, TenantId, run, show

EXPLANATION_COLUMNS = ("kpi", "formula", "filled_in", "value", "recomputed", "equal", "recomputed_from", "flags")
ROW_COLUMNS = ("from", "to", "dims", "filled_in", "value", "recomputed", "equal")
LEFT_OUT_COLUMNS = ("n", "of", "reason", "description")

Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        help="A parameter of the query, such as window=7d, hours=business or filter[team]=billing; repeat it for others.",
    ),
]


def explain(
    tenant: TenantId,
    kpi: Annotated[str, typer.Argument(help="The id of the KPI, such as nps.")],
    parameter: Parameters = None,
    as_json: AsJson = False,
) -> None:
    """Explain a KPI's value: its formula with the numbers, a recomputation from the stored statements, and what is left out.

    Exits with 1 if the value and its recomputation differ.
    """
    query = parse_parameters(parameter or [])
    explanation = run(lambda admin: admin.explain(tenant, kpi, query))
    if as_json:
        show(explanation, (), as_json=True)
    else:
        show(explanation, EXPLANATION_COLUMNS, as_json=False)
        for rows, columns in ((explanation["rows"], ROW_COLUMNS), (explanation["left_out"], LEFT_OUT_COLUMNS)):
            if rows:
                show(rows, columns, as_json=False)
    if not explanation["equal"]:
        raise typer.Exit(1)


def parse_parameters(texts: list[str]) -> dict[str, Any]:
    """The parameters of a query by name. Raises BadParameter for one that is not `name=value`, and for a repeated one."""
    parameters: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{text!r} is not name=value")
        if name in parameters:
            raise typer.BadParameter(f"{name} is given more than once; separate its values by commas")
        parameters[name] = value
    return parameters
