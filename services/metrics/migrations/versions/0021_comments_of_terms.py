"""Comments of columns of `terms_revisions` in plain words."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COLUMNS = {"calendars": "calendars", "policies": "sla_policies", "own_presets": "presets"}
"""The columns by their names, each with the table of whose rows it says how many apply."""


def upgrade() -> None:
    for column, table in COLUMNS.items():
        set_comment(column, f"how many rows of {table} apply, from the first on", f"the first so many rows of {table}")


def downgrade() -> None:
    for column, table in COLUMNS.items():
        set_comment(column, f"the first so many rows of {table}", f"how many rows of {table} apply, from the first on")


def set_comment(column: str, comment: str, existing: str) -> None:
    """Change the comment of a column. It is brief: only the definition of the table is locked."""
    op.alter_column(
        "terms_revisions", column, existing_type=sa.Integer(), existing_nullable=False, comment=comment, existing_comment=existing
    )
