"""Names that deliveries state for teams, agents and surveys; the request that asked for stored bodies to be read again.

Nothing that exists is changed, and the previous version works on as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "value_names",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("dimension", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False, comment="receipt of the delivery that stated it"),
        sa.Column("due", sa.DateTime(timezone=True), comment="when it may be sent to metrics; null: metrics has it"),
    )
    op.create_index("value_names_due", "value_names", ["due"], postgresql_where=sa.text("due IS NOT NULL"))
    op.add_column("rereads", sa.Column("request_id", sa.Text, comment="of the request that added the job"))
    op.add_column("rereads", sa.Column("traceparent", sa.Text, comment="of the same request, if it had one"))


def downgrade() -> None:
    for column in ("traceparent", "request_id"):
        op.drop_column("rereads", column)
    op.drop_table("value_names")
