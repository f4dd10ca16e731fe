"""Imports: uploaded files whose records become deliveries, their parts, and the records that were rejected.

`erased_names` lets an import recognise older feedback of a customer who was erased. A trigger fills it, so that erasures count
which a replica of the previous version carries out.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"

TIME = sa.DateTime(timezone=True)

FUNCTION = """
CREATE FUNCTION remember_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO erased_names (tenant, digest, requested, erased_at)
    SELECT NEW.tenant, sha256(convert_to(NEW.tenant || '/' || name, 'UTF8')), name = ANY(NEW.requested), now()
    FROM (SELECT DISTINCT unnest(NEW.names) AS name) AS erased
    ON CONFLICT (tenant, digest) DO UPDATE
    SET requested = erased_names.requested OR excluded.requested, erased_at = excluded.erased_at;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER erasures_remembered AFTER INSERT ON erasures FOR EACH ROW EXECUTE FUNCTION remember_erased()
"""
IN_PROGRESS = """
INSERT INTO erased_names (tenant, digest, requested, erased_at)
SELECT tenant, sha256(convert_to(tenant || '/' || name, 'UTF8')), bool_or(name = ANY(requested)), now()
FROM erasures, unnest(names) AS name GROUP BY tenant, name
"""
"""Erasures whose search for bodies is still running. The pseudonyms of earlier ones are no longer stored."""


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False, comment="csv, ndjson or a provider"),
        sa.Column("mapping", JSONB(none_as_null=True), comment="of a CSV file"),
        sa.Column("state", sa.Text, nullable=False, server_default="uploading"),
        sa.Column("sha256", sa.Text, comment="of the file: as the client states it, then as computed"),
        sa.Column("prepared", sa.Boolean, nullable=False, server_default="false", comment="sha256 is computed, header is read"),
        sa.Column("header", sa.ARRAY(sa.Text), comment="columns of a CSV file"),
        sa.Column("parts", sa.Integer, nullable=False, server_default="0", comment="uploaded"),
        sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0", comment="uploaded"),
        sa.Column("part", sa.Integer, nullable=False, server_default="1", comment="records before it, and"),
        sa.Column("part_offset", sa.BigInteger, nullable=False, server_default="0", comment="before this byte of it, are stored"),
        sa.Column("line", sa.BigInteger, nullable=False, server_default="0", comment="lines before that place"),
        sa.Column("bytes_read", sa.BigInteger, nullable=False, server_default="0", comment="bytes before that place"),
        sa.Column("results", JSONB, nullable=False, server_default="{}", comment="records by result"),
        sa.Column("reason", sa.Text, comment="why it failed"),
        sa.Column("requested_by", sa.Text, comment="id of the API key; null: the operator"),
        sa.Column("due", TIME, nullable=False, server_default=sa.func.now(), comment="when it may be claimed"),
        sa.Column("claimed", TIME, comment="when it was claimed last"),
        sa.Column("created", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("changed", TIME, nullable=False, server_default=sa.func.now(), comment="latest upload or change of state"),
        sa.Column("started", TIME),
        sa.Column("finished", TIME),
        sa.Column("request_id", sa.Text, comment="of the request that started it"),
        sa.Column("traceparent", sa.Text, comment="of the same request, if it had one"),
    )
    op.create_index("imports_by_tenant", "imports", ["tenant", "id"])
    op.create_index("imports_open", "imports", ["state", "tenant"], postgresql_where=sa.text("finished IS NULL"))
    op.create_table(
        "import_parts",
        sa.Column("import_id", sa.BigInteger, sa.ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="from 1"),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, sa.Computed("import_id::text || ':' || number::text", persisted=True), unique=True),
        sa.Column("content", sa.LargeBinary, comment="encrypted; null once its records are stored"),
    )
    op.execute("ALTER TABLE import_parts ALTER COLUMN content SET STORAGE EXTERNAL")
    op.create_table(
        "import_errors",
        sa.Column("import_id", sa.BigInteger, sa.ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False, comment="of several in one record"),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "erased_names",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True, comment="SHA-256 of tenant, slash and pseudonym"),
        sa.Column(
            "requested", sa.Boolean, nullable=False, comment="the request stated it; else it was tied to one that it stated"
        ),
        sa.Column("erased_at", TIME, nullable=False),
    )
    op.execute(FUNCTION)
    op.execute(TRIGGER)
    op.execute(IN_PROGRESS)


def downgrade() -> None:
    op.execute("DROP TRIGGER erasures_remembered ON erasures")
    op.execute("DROP FUNCTION remember_erased")
    op.drop_table("erased_names")
    op.drop_table("import_errors")
    op.drop_table("import_parts")
    op.drop_table("imports")
