"""The part of an e-mail that its author wrote, and automatic replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.auto_replies import is_auto_reply
from services.sentiment.domain.written_text import LONGEST, written_text
from tests.unit.sentiment.mails import AUTO_REPLIES, COMMENTS, FRIENDLY, GMAIL, MAILS, WHOLE, Mail, cases


@pytest.mark.parametrize("mail", [pytest.param(mail, id=mail.name) for mail in MAILS])
def test_only_the_part_that_the_author_wrote_is_read(mail: Mail) -> None:
    assert written_text(mail.text) == mail.own


@pytest.mark.parametrize("text", WHOLE)
def test_a_comment_that_only_resembles_a_quotation_or_a_signature_is_read_as_a_whole(text: str) -> None:
    assert written_text(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>Great &amp; fast</p><p>Thanks</p>", "Great & fast\nThanks"),
        ("So <b>slow</b>!<br/>Really<script>var great = 1</script><!-- nice -->", "So slow!\nReally"),
        ("<style>p {color: red}</style><div>Broken</div>", "Broken"),
        ("<ul><li>late</li><li>broken</li></ul>", "late\nbroken"),
        ("<img src='x.png' alt='smile'>", ""),
        ("<p>never closed <script>alert(1)", "never closed"),
        ("<!-- never closed <p>x</p>", ""),
    ],
)
def test_html_is_read_as_text(text: str, plain: str) -> None:
    assert written_text(text) == plain


def test_a_message_that_only_quotes_another_is_read_with_it() -> None:
    text = f"{GMAIL['en']}\n> {FRIENDLY['en']}"
    assert written_text(text) == text


@given(st.text(alphabet="ab>-<:\n On 1 wrote/p", max_size=120))
def test_a_text_without_markup_is_blank_only_if_it_was(text: str) -> None:
    assert "<" in text or bool(written_text(text).strip()) == bool(text.strip())


def test_the_beginning_of_a_huge_text_is_read() -> None:
    assert len(written_text("slow " * LONGEST)) <= LONGEST


@pytest.mark.parametrize("text", cases(AUTO_REPLIES))
def test_automatic_replies_and_bounces_are_recognised(text: str) -> None:
    assert is_auto_reply(text)


@pytest.mark.parametrize("text", [*cases(COMMENTS), *WHOLE])
def test_comments_about_automatic_replies_and_absences_are_comments(text: str) -> None:
    assert not is_auto_reply(text)
