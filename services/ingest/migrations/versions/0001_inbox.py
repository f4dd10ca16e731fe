"""Tenants and their connections; the inbox, what its deliveries state, and what of it is still to be published."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    tenants_and_connections()
    op.execute("CREATE SEQUENCE inbox_seq")
    inbox()
    events()
    op.create_table(
        "unpublished",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("due", TIME, nullable=False, comment="when the sweeper may take it up"),
    )


def tenants_and_connections() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False, comment="the key of its pseudonyms, encrypted"),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="active"),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("mapping", JSONB, nullable=False, server_default="{}"),
        sa.Column("dimensions", JSONB, nullable=False, server_default="{}"),
        sa.Column("sealed_secrets", sa.LargeBinary, nullable=False, comment="a JSON list, the newest first, encrypted"),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.now()),
    )
    op.create_index("connections_by_tenant", "connections", ["tenant", "created_at"])
    op.create_index("connections_built_in", "connections", ["tenant"], unique=True, postgresql_where=sa.text("provider = 'api'"))


def inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("delivery", sa.Text, comment="the tool's id of it; null: duplicates are known by content"),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("headers", sa.Text, nullable=False, comment="those that parsing needs, as JSON"),
        sa.Column("raw", sa.LargeBinary, comment="null once erased"),
        sa.Column("verdict", sa.Text, nullable=False, comment="accepted, quarantined or ignored"),
        sa.Column("reason", sa.Text),
        sa.Column("revision", sa.Integer, nullable=False, comment="of the mapping under which the verdict was given"),
        sa.UniqueConstraint("connection", "delivery", name="inbox_deliveries"),
    )
    quarantined = sa.text("verdict = 'quarantined'")
    op.create_index("inbox_quarantined", "inbox", ["tenant", "seq"], postgresql_where=quarantined)


def events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, comment="pseudonym"),
        sa.Column("email", sa.Text, comment="pseudonym of an address that came along"),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False, comment="equal for equal content"),
        sa.Column("event", sa.Text, nullable=False, comment="shared.events.Event as JSON, as it is published"),
    )
    op.create_index("events_by_subject", "events", ["tenant", "subject", "seq"])
    op.create_index("events_by_customer", "events", ["tenant", "customer"], postgresql_where=sa.text("customer IS NOT NULL"))
    op.create_index("events_by_email", "events", ["tenant", "email"], postgresql_where=sa.text("email IS NOT NULL"))
    op.create_index("events_by_receipt", "events", ["received_at"], postgresql_using="brin")


def downgrade() -> None:
    for table in ("unpublished", "events", "inbox", "connections", "tenants"):
        op.drop_table(table)
    op.execute("DROP SEQUENCE inbox_seq")
