"""Thin events: what must be fetched from a tool's API, the state of each connection's API, and the encrypted credentials of it.

Nothing that exists is changed, and the previous version works on as before: it fetches nothing, and new thin events wait.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TIME = sa.DateTime(timezone=True)


COMMENTS = (
    ("inbox", "verdict", "accepted, quarantined, ignored, held, pending or erased"),
    ("mapped_keys", "section", "questions, dimensions or own_dimensions"),
)


def upgrade() -> None:
    for table, column, comment in COMMENTS:
        op.alter_column(table, column, comment=comment)
    op.add_column("connections", sa.Column("sealed_credentials", sa.LargeBinary, comment="of the tool's API, as JSON, encrypted"))
    op.create_table(
        "fetches",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True, comment="what to fetch, by the provider"),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, comment="of the delivery that it completes"),
        sa.Column("next", sa.BigInteger, comment="of a delivery that arrived while a fetch ran: fetch again for it"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("token", sa.Text, comment="of the process that fetches; null: none does"),
        sa.Column("due", TIME, nullable=False, server_default=sa.func.now(), comment="when it may be claimed"),
        sa.Column("request_id", sa.Text, comment="of the request that brought the delivery"),
        sa.Column("traceparent", sa.Text, comment="of the same request, if it had one"),
        sa.Column("added", TIME, nullable=False, server_default=sa.func.now()),
    )
    op.create_index("fetches_due", "fetches", ["connection", "due", "seq"])
    op.create_index("fetches_by_tenant", "fetches", ["tenant", "seq"])
    op.create_index("fetches_by_age", "fetches", ["added"])
    op.create_table(
        "tool_apis",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="in a row"),
        sa.Column("blocked_until", TIME, comment="no call before it: by Retry-After, or after failures"),
        sa.Column("stopped", sa.Text, comment="why no call is made until the credentials change; null: calls are made"),
        sa.Column("last_success", TIME),
        sa.Column("last_error", sa.Text),
        sa.Column("last_error_at", TIME),
    )


def downgrade() -> None:
    op.drop_table("tool_apis")
    op.drop_table("fetches")
    op.drop_column("connections", "sealed_credentials")
