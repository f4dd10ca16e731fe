"""SLA policies. A revision of the terms has the first so many versions of the tenant's policies.

Servers of the previous version write no targets, and a change of other terms by one of them leaves the policies out. Set policies
once all servers have this version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sla_policies",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="a version of the SLA policies, as JSON"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name="sla_policies_pkey"),
    )
    op.add_column(
        "terms_revisions",
        sa.Column(
            "policies",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the first so many rows of sla_policies",
        ),
    )


def downgrade() -> None:
    op.drop_column("terms_revisions", "policies")
    op.drop_table("sla_policies")
