"""Comments of our own, written as templates, a file a language: what public data lack. Some wordings are never trained on."""
