"""Comments of columns in plain words. A comment locks only the definition of its table, and briefly."""

from alembic import op

revision = "0021"
down_revision = "0020"

COMMENTS = {
    ("retention", "deleted_before"): (
        "bodies received before are deleted by age; null: none is",
        "bodies received before this time are deleted by age; null: none",
    ),
    ("retention", "reached"): (
        "bodies up to it are done in this pass",
        "bodies up to this seq are done in this pass",
    ),
    ("erasures", "seq"): (
        "of the erasure in the inbox",
        "seq of the erasure in the inbox",
    ),
    ("erasures", "requested"): (
        "those that the request itself states",
        "pseudonyms that the request itself states",
    ),
    ("erasures", "reached"): (
        "bodies up to it are searched",
        "bodies up to this seq are searched",
    ),
    ("erasures", "due"): (
        "by an earlier version; infinity: never",
        "when an earlier version may claim it; infinity: never",
    ),
    ("erasures", "claimable"): (
        "when it may be claimed; null: an earlier version added it",
        "when this version may claim it; null: an earlier version added it",
    ),
    ("erasures", "batches"): (
        "deliveries with further tombstones",
        "seq of deliveries with further tombstones",
    ),
    ("shared_mailboxes", "address"): (
        "pseudonym, of an address or an id",
        "pseudonym of an address or of an id",
    ),
    ("imports", "mapping"): (
        "of a CSV file",
        "mapping of a CSV file",
    ),
    ("imports", "sha256"): (
        "of the file: as the client states it, then as computed",
        "SHA-256 of the file: first as the client states it, then as computed",
    ),
    ("imports", "prepared"): (
        "sha256 is computed, header is read",
        "whether sha256 is computed and the header is read",
    ),
    ("imports", "parts"): (
        "uploaded",
        "number of uploaded parts",
    ),
    ("imports", "bytes"): (
        "uploaded",
        "number of uploaded bytes",
    ),
    ("imports", "part"): (
        "records before it, and",
        "part in which reading continues: what is before that position is stored",
    ),
    ("imports", "part_offset"): (
        "before this byte of it, are stored",
        "byte of that part at which reading continues",
    ),
    ("imports", "line"): (
        "lines before that place",
        "number of lines before that position",
    ),
    ("imports", "bytes_read"): (
        "bytes before that place",
        "number of bytes before that position",
    ),
    ("imports", "results"): (
        "records by result",
        "number of records by result",
    ),
    ("imports", "request_id"): (
        "of the request that started it",
        "id of the request that started it",
    ),
    ("imports", "attempts"): (
        "to prepare it, without success",
        "failed attempts to prepare it",
    ),
    ("import_ranges", "part"): (
        "records of the range before it, and",
        "part in which reading continues: what the range has before that position is stored",
    ),
    ("import_ranges", "part_offset"): (
        "before this byte of it, are stored",
        "byte of that part at which reading continues",
    ),
    ("import_ranges", "line"): (
        "lines of the file before that place",
        "number of lines of the file before that position",
    ),
    ("import_ranges", "end_part"): (
        "the next range begins in this part; null: the last range",
        "part in which the next range begins; null: this is the last range",
    ),
    ("import_ranges", "end_offset"): (
        "at this byte of it",
        "byte of end_part at which the next range begins",
    ),
    ("import_ranges", "end_line"): (
        "behind so many lines of the file",
        "number of lines of the file before the next range",
    ),
    ("import_ranges", "bytes_read"): (
        "bytes of the range that are done",
        "number of bytes of the range that are read and stored",
    ),
    ("import_ranges", "results"): (
        "records by result",
        "number of records by result",
    ),
    ("import_ranges", "attempts"): (
        "in a row, without progress",
        "consecutive attempts without progress",
    ),
    ("import_errors", "place"): (
        "of several in one record",
        "number of the error in its record",
    ),
    ("erased_names", "requested"): (
        "the request stated it; else it was tied to one that it stated",
        "true: the request stated the pseudonym; false: it was linked to one that the request stated",
    ),
    ("replays", "id"): (
        "by its requester, so that a repeated request adds none",
        "chosen by the requester, so that a repeated request adds no replay",
    ),
    ("replays", "first"): (
        "deliveries up to it were received too early",
        "the replay has only deliveries after this seq",
    ),
    ("replays", "upto"): (
        "the last delivery of the replay",
        "seq of the last delivery that the replay may have",
    ),
    ("replays", "reached"): (
        "deliveries up to it were handed to the outbox",
        "deliveries up to this seq are handed to the outbox",
    ),
    ("replays", "reached_at"): (
        "the deliveries after it were received since about then; null: there is none",
        "the deliveries after `reached` were received at about this time or later; null: there is none",
    ),
    ("replays", "queued"): (
        "deliveries, without those that waited",
        "deliveries handed to the outbox, except those that waited there already",
    ),
    ("replays", "worked"): (
        "when the latest step was done",
        "when the latest step ended",
    ),
    ("replays", "request_id"): (
        "of the request for it",
        "id of the request for it",
    ),
    ("taxonomies", "themes"): (
        "shared.taxonomy.ThemeDefinition each; null: those that ship, again",
        "list of shared.taxonomy.ThemeDefinition; null: the default themes again",
    ),
    ("inbox", "delivery"): (
        "the tool's id of it; null: duplicates are known by content",
        "the tool's id of the delivery; null: duplicates are found by content",
    ),
    ("inbox", "headers"): (
        "those that parsing needs, as JSON",
        "the headers that parsing needs, as JSON",
    ),
    ("inbox", "revision"): (
        "of the mapping under which the verdict was given",
        "revision of the mapping under which the verdict was reached",
    ),
    ("events", "email"): (
        "pseudonym of an address that came along",
        "pseudonym of the customer's e-mail address",
    ),
    ("events", "aliases"): (
        "further pseudonyms, those of addresses after an @; null: of a version whose ids of tools had no namespace",
        "further pseudonyms, an @ before those of addresses; null: stored by a version without namespaces of tools",
    ),
    ("unpublished", "due"): (
        "when the sweeper may take it up",
        "when the sweeper may publish it",
    ),
    ("unpublished", "request_id"): (
        "of the request that brought the delivery or requested its replay",
        "id of the request that brought it or requested its replay",
    ),
    ("unpublished", "replayed"): (
        "a replay put it there",
        "whether a replay added the row",
    ),
    ("fetches", "key"): (
        "what to fetch, by the provider",
        "what to fetch, in the provider's own form",
    ),
    ("fetches", "seq"): (
        "of the delivery that it completes",
        "seq of the delivery that the fetch completes",
    ),
    ("fetches", "next"): (
        "of a delivery that arrived while a fetch ran: fetch again for it",
        "seq of a delivery that arrived during a fetch and needs another one",
    ),
    ("fetches", "token"): (
        "of the process that fetches; null: none does",
        "token of the claim under which a process fetches; null: none does",
    ),
    ("fetches", "request_id"): (
        "of the request that brought the delivery",
        "id of the request that brought the delivery",
    ),
    ("tool_apis", "failures"): (
        "in a row",
        "number of consecutive failures",
    ),
    ("tool_apis", "blocked_until"): (
        "no call before it: by Retry-After, or after failures",
        "no call before this time, by Retry-After or after failures",
    ),
    ("rereads", "reached"): (
        "deliveries up to it are read",
        "deliveries up to this seq are read",
    ),
    ("rereads", "request_id"): (
        "of the request that added the job",
        "id of the request that added the job",
    ),
    ("delivery_jobs", "quarantined"): (
        "the one delivery that it is about; null: those that the filter selects",
        "seq of the job's only delivery; null: a filter selects them",
    ),
    ("delivery_jobs", "upto"): (
        "the last delivery of the job; null: no end",
        "seq of the last delivery that the job may have; null: no bound",
    ),
    ("delivery_jobs", "reached"): (
        "deliveries up to it are done",
        "deliveries up to this seq are done",
    ),
    ("delivery_jobs", "matched"): (
        "deliveries when it was added",
        "number of deliveries when it was added",
    ),
    ("delivery_jobs", "results"): (
        "deliveries by outcome",
        "number of deliveries by outcome",
    ),
    ("delivery_jobs", "request_id"): (
        "of the request that added the job",
        "id of the request that added the job",
    ),
    ("delivery_jobs", "cursor"): (
        "of the next page of a back-fill; null: none is left",
        "cursor of a back-fill's next page; null: no page is left",
    ),
    ("delivery_jobs", "attempts"): (
        "in a row, failed",
        "consecutive failed attempts",
    ),
}
"""The former and the new comment, by table and column."""


def upgrade() -> None:
    for (table, column), (former, comment) in COMMENTS.items():
        op.alter_column(table, column, comment=comment, existing_comment=former)


def downgrade() -> None:
    for (table, column), (former, comment) in COMMENTS.items():
        op.alter_column(table, column, comment=former, existing_comment=comment)
