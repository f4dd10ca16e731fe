"""Verifications that run in the background: their progress, and the results of earlier ones."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False, comment="of subjects and spans that are compared: 1 is all"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("head", sa.BigInteger(), nullable=False, server_default=sa.text("0"), comment="the last sequence compared"),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column(
            "place", sa.Text(), nullable=False, server_default=sa.text("''"), comment="the last thing of the part that is done"
        ),
        sa.Column("tries", sa.SmallInteger(), nullable=False, server_default=sa.text("0"), comment="of the piece after `place`"),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("'-infinity'")),
        sa.Column("subjects", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("contributions", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("seals", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("events", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("differences", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("first_difference", sa.Text()),
        sa.Column("latest", sa.Boolean(), nullable=False, server_default=sa.text("false"), comment="the tenant's present result"),
    )
    op.create_index("verifications_by_tenant", "verifications", ["tenant", "id"])
    op.create_index(
        "verifications_unfinished", "verifications", ["tenant"], unique=True, postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_index("verifications_latest", "verifications", ["tenant"], unique=True, postgresql_where=sa.text("latest"))


def downgrade() -> None:
    op.drop_table("verifications")
