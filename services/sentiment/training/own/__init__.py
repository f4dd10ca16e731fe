"""Our own comments as templates, a file per language, for cases that public data lack. Some are held out."""
