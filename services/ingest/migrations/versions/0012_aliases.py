"""Further pseudonyms of the customer of an event, beside those of the id and of the address.

Events that are there, and those that a replica of the previous version stores meanwhile, have null: their ids of tools have no
namespace. An erasure and a search look for both forms.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0012"
down_revision = "0011"

COMMENT = "further pseudonyms, those of addresses after an @; null: of a version whose ids of tools had no namespace"


def upgrade() -> None:
    op.add_column("events", sa.Column("aliases", ARRAY(sa.Text), comment=COMMENT))
    op.create_index("events_by_alias", "events", ["aliases"], postgresql_using="gin", postgresql_where=sa.text("aliases <> '{}'"))


def downgrade() -> None:
    op.drop_index("events_by_alias", "events")
    op.drop_column("events", "aliases")
