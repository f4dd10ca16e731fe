"""Frozen subjects: statements and scores of subjects that nothing touched for long, compressed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "frozen_subjects",
        sa.Column("subject_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("statements", sa.Integer(), nullable=False, comment="their number"),
        sa.Column("dictionary", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="statements and scores, compressed with the dictionary"),
    )
    op.execute("ALTER TABLE frozen_subjects ALTER COLUMN body SET STORAGE EXTERNAL")
    op.create_index("frozen_subjects_by_tenant", "frozen_subjects", ["tenant"])
    op.create_table(
        "freezing",
        sa.Column("tenant", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("after_months", sa.SmallInteger(), comment="null: frozen subjects are thawed"),
        sa.Column(
            "before",
            sa.DateTime(timezone=True),
            comment="subjects untouched since then are frozen by the pass that is running",
        ),
        sa.Column(
            "place",
            sa.Text(),
            nullable=False,
            server_default=sa.text("''"),
            comment="the last subject that the pass has looked at",
        ),
        sa.Column("frozen_before", sa.DateTime(timezone=True), comment="`before` of the last pass that ended"),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False, comment="when the next piece or pass begins"),
    )
    op.create_index("freezing_due", "freezing", ["due"])


def downgrade() -> None:
    op.drop_table("freezing")
    op.drop_table("frozen_subjects")
