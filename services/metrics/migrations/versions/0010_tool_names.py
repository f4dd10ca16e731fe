"""Names that tools state for teams, agents and surveys, beside those that a tenant sets.

`names` stays the directory that queries read. The previous version sets its rows as before: a name of a tool that it removes
comes back when the tenant next sets names, or the tool states another one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tool_names",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "dimension", "value", name="tool_names_pkey"),
    )
    op.add_column("names", sa.Column("from_tool", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.execute("DELETE FROM names WHERE from_tool")
    op.drop_column("names", "from_tool")
    op.drop_table("tool_names")
