"""The mapping of a CSV file: which columns hold the parts of a record."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from services.ingest.domain.connection import Dimension, SurveyQuestion, check_own_dimensions
from services.ingest.domain.fields import GroupName, Language, Model, Scale, Score, Survey
from services.ingest.domain.imports.times import ISO, check_format
from shared.zones import zone_name

MAX_COLUMNS = 500

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
"""A column by its name in the header, exactly as it is there, without the white space around it."""


class TimeColumn(Model):
    """A column that holds a time, and how it is written."""

    column: ColumnName = Field(examples=["Submit Date (UTC)"])
    format: Annotated[str, StringConstraints(max_length=100), AfterValidator(check_format)] = Field(
        ISO,
        description="`iso`: 2026-11-20T09:14:03+01:00, also with a blank for the T, without seconds or without an offset; "
        "`unix`, `unix_ms`: seconds or milliseconds since 1970; else directives as of Python's strptime",
        examples=["%d.%m.%Y %H:%M"],
    )
    zone: Annotated[str, AfterValidator(zone_name)] = Field(
        "UTC", description="IANA zone of times without an offset", examples=["Europe/Berlin"]
    )


class AnswerColumn(SurveyQuestion):
    """A column that holds the answers to one question. Blank cells are no answers."""

    kind: Literal["nps", "csat", "ces", "comment"] = Field(
        description="What the question measures; a scale of 0 to 10 alone makes no `nps`", examples=["csat"]
    )
    question: GroupName | None = Field(None, description="The question's id; default: the column's name, cut to 200 characters")
    scale: Scale | None = Field(None, description="`[lowest, highest]`; required for `csat`, always 0 to 10 for `nps`")
    values: dict[str, Score | None] = Field(
        default_factory=dict,
        max_length=200,
        description="Values of cells that are words; the word is stored as `raw`. Null: the word is no answer",
        examples=[{"Very satisfied": 5, "Satisfied": 4, "Not offered": None}],
    )
    language: Language | None = Field(None, description="Of a `comment`", examples=["en"])

    @model_validator(mode="after")
    def _fits_kind(self) -> "AnswerColumn":
        if self.kind == "comment" and (self.values or self.scale or self.polarity or self.positive_from is not None):
            raise ValueError("a comment has no scale, polarity, positive_from or values")
        if self.kind != "comment" and self.language:
            raise ValueError("only a comment has a language")
        return self

    def question_of(self, column: str) -> str:
        """The question's id."""
        return self.question or column[:200]


class CustomerColumns(Model):
    """The columns that say who gave the feedback: the customer's id in your systems, the e-mail address, or both."""

    id: ColumnName | None = Field(None, examples=["Customer ID"])
    email: ColumnName | None = Field(None, examples=["Email"])

    @model_validator(mode="after")
    def _is_stated(self) -> "CustomerColumns":
        if self.id is None and self.email is None:
            raise ValueError("a column for the id or the email is needed")
        return self


class ReviewColumns(Model):
    """The columns of a review."""

    stars: ColumnName | None = Field(None, description="1 to 5", examples=["Rating"])
    title: ColumnName | None = None
    text: ColumnName | None = Field(None, examples=["Review"])
    product: ColumnName | None = None
    language: Language | None = Field(None, description="Of all texts")


class CsvMapping(Model):
    """Says which columns of a CSV file hold the parts of a record. Columns that it does not name are left out."""

    type: Literal["response", "review"] = Field("response", description="The type of the records")
    delimiter: Literal[",", ";", "\t", "|"] = ","
    encoding: Literal["utf-8", "windows-1252"] = "utf-8"
    id: ColumnName | None = Field(
        None,
        description="The column of the record's id. Null: a digest of the row is its id, so a row that is changed later is a new "
        "record",
        examples=["Response ID"],
    )
    at: TimeColumn = Field(description="When it was answered or written")
    updated_at: TimeColumn | None = Field(None, description="Time of the last edit. Null, or a blank cell: that of `at`")
    survey: Survey | None = Field(None, description="The survey of all responses")
    channel: GroupName | None = Field(None, description="The channel of all records", examples=["email"])
    customer: CustomerColumns | None = None
    answers: dict[ColumnName, AnswerColumn] = Field(
        default_factory=dict, max_length=200, description="Of responses: the questions, by the column of their answers"
    )
    review: ReviewColumns | None = Field(None, description="Of reviews")
    dimensions: dict[ColumnName, Dimension] = Field(
        default_factory=dict,
        max_length=100,
        description="Dimensions by the column of their values",
        examples=[{"Country": "region"}],
    )

    @field_validator("dimensions")
    @classmethod
    def _check_own_dimensions(cls, dimensions: dict[str, str]) -> dict[str, str]:
        check_own_dimensions(dimensions.values())
        if refused := {"channel", "survey", "product"} & {*dimensions.values()}:
            raise ValueError(f"{sorted(refused)[0]} has a field of its own in the mapping")
        if len({*dimensions.values()}) < len(dimensions):
            raise ValueError("a dimension has two columns")
        return dimensions

    @model_validator(mode="after")
    def _fits_type(self) -> "CsvMapping":
        if (self.type == "review") != (self.review is not None):
            raise ValueError("review is needed for reviews, and only for them")
        if self.type == "review" and (self.answers or self.survey):
            raise ValueError("answers and survey belong to responses")
        if self.type == "response" and not self.answers:
            raise ValueError("answers must name at least one column")
        questions = [(column.question_of(name), column.kind) for name, column in self.answers.items()]
        if len({*questions}) < len(questions):
            raise ValueError("two columns answer the same question")
        return self

    def columns(self) -> Iterator[tuple[str, str]]:
        """(place in the mapping, name) of every column that it names."""
        if self.id:
            yield "id", self.id
        yield "at.column", self.at.column
        if self.updated_at:
            yield "updated_at.column", self.updated_at.column
        for part, model in (("customer", self.customer), ("review", self.review)):
            for field in ("id", "email", "stars", "title", "text", "product"):
                if name := getattr(model, field, None):
                    yield f"{part}.{field}", name
        yield from ((f"answers.{name}", name) for name in self.answers)
        yield from ((f"dimensions.{name}", name) for name in self.dimensions)


def digest_of(mapping: Mapping[str, Any] | None) -> str:
    """8 hexadecimal digits that are equal for equal mappings."""
    text = json.dumps(mapping, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
