"""`python -m services.sentiment`: run the sentiment service."""

from services.sentiment.huge_pages import restart_with_huge_pages


def main() -> None:
    """Run the service until it is stopped, with the settings of the environment."""
    from services.sentiment.app import create_app
    from services.sentiment.settings import Settings
    from shared.http import serve
    from shared.startup import read_settings

    settings = read_settings("sentiment", Settings)
    serve(create_app(settings), settings)


if __name__ == "__main__":
    restart_with_huge_pages()  # before the imports, which take a second
    main()
