"""When the sealer looks at each tenant next.

Servers of the previous version still work: they look at every tenant, and don't request a look for the spans that they change.
The daily full look seals these.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def instant(name: str, default: str, comment: str | None = None) -> sa.Column[object]:
        return sa.Column(
            name, sa.DateTime(timezone=True), server_default=sa.text(f"'{default}'"), nullable=False, comment=comment
        )

    op.create_table(
        "sealing",
        sa.Column("tenant", sa.Integer(), autoincrement=False, nullable=False),
        instant("due", "-infinity"),
        instant("since", "-infinity", "spans that end later may lack a seal"),
        instant("claimed_since", "infinity", "the part of `since` that is being looked at"),
        instant("until", "-infinity", "spans that end later have no seal yet"),
        instant("full_look_at", "-infinity", "when all spans are looked at"),
        sa.Column(
            "idle", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="no contribution of the last days"
        ),
        sa.Column("revision", sa.SmallInteger(), nullable=False, comment="the CUBOIDS_REVISION for which spans were looked for"),
        sa.PrimaryKeyConstraint("tenant"),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index("sealing_due", "sealing", ["due"], unique=False)
    op.execute("INSERT INTO sealing (tenant, revision) SELECT id, 1 FROM tenants")


def downgrade() -> None:
    op.drop_index("sealing_due", table_name="sealing")
    op.drop_table("sealing")
