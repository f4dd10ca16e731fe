"""Names of a tenant's teams and agents, beside their ids.

Servers of the previous version don't read them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "names",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "dimension", "value", name="names_pkey"),
    )
    op.create_index("names_by_name", "names", ["tenant", "dimension", "name"])
    op.add_column("tenants", sa.Column("names_revision", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    op.drop_column("tenants", "names_revision")
    op.drop_table("names")
