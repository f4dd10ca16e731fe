"""Unicode normalisation of text."""

import unicodedata


def nfc(text: str) -> str:
    """`text` in normalization form C (UAX #15), in which a composed and a decomposed "é" are equal."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)
