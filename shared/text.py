"""Text as it is compared: one spelling for what reads the same."""

import unicodedata


def nfc(text: str) -> str:
    """`text` in Unicode normalization form C, so that a composed and a decomposed "é" are one value (UAX #15)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)
