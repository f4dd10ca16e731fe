"""For how long a tenant's bodies are stored. Without a row they are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("tenant", sa.Text, sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("body_days", sa.Integer, comment="days for which bodies are stored; null: always"),
        sa.Column("quarantine_days", sa.Integer, comment="days after which quarantined deliveries are discarded; null: never"),
        sa.Column("deleted_before", TIME, comment="bodies received before are deleted by age; null: none is"),
        sa.Column("reached", sa.BigInteger, nullable=False, server_default="-1", comment="bodies up to it are done in this pass"),
        sa.Column("due", TIME, nullable=False, server_default=sa.func.now(), comment="when it may be claimed"),
        sa.Column("changed_at", TIME, nullable=False, server_default=sa.func.now()),
    )
    op.create_index("retention_due", "retention", ["due"])


def downgrade() -> None:
    op.drop_table("retention")
