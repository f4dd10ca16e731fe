"""Revisions per tenant, and at most one initial promotion per tenant.

Servers of the previous version still work: they leave `noted` and `initial` at their defaults. Batches that they apply count as
`batches - noted`, which is part of every tenant's revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    noted = "of batches, how many are in tenant_revisions"
    op.add_column("progress", sa.Column("noted", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment=noted))
    op.create_table(
        "tenant_revisions",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("revision", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "topic", "partition", "kind", name="tenant_revisions_pkey"),
    )
    initial = "the default model, pinned for a new tenant"
    op.add_column(
        "promotions", sa.Column("initial", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment=initial)
    )
    op.create_index("promotions_initial", "promotions", ["tenant"], unique=True, postgresql_where=sa.text("initial"))


def downgrade() -> None:
    op.drop_index("promotions_initial", table_name="promotions")
    op.drop_column("promotions", "initial")
    op.drop_table("tenant_revisions")
    op.drop_column("progress", "noted")
