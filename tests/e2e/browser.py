"""A browser for the tests: an installed Chromium or Chrome, else Debian's package if we are root, else Playwright's own."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
NO_SANDBOX = ["--no-sandbox", "--disable-dev-shm-usage"]
"""Chromium's sandbox refuses to work as root."""
DEBIAN = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
OWN = [sys.executable, "-m", "playwright", "install", "chromium"]
INSTALL_TIMEOUT = 600


class NoBrowser(Exception):
    """No Chromium or Chrome is installed, and installing one failed."""


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A headless browser, which is installed first if there is none. Raises NoBrowser if that fails."""
    async with async_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        path = find_browser(own) or install_browser(own)
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS + (NO_SANDBOX if is_root() else []))
        try:
            yield browser
        finally:
            await browser.close()


def find_browser(own: Path) -> str | None:
    """The path of an installed browser: on PATH, at the usual places, or Playwright's `own`. None if there is none."""
    on_path = (shutil.which(name) for name in NAMES)
    at_places = (place for place in (*PLACES, str(own)) if Path(place).exists())
    return next((path for path in on_path if path), None) or next(at_places, None)


def install_browser(own: Path) -> str:
    """Install a browser; returns its path. Raises NoBrowser if every way fails."""
    failures = []
    ways = [DEBIAN] if is_root() and shutil.which("apt-get") else []
    for commands in [*ways, (OWN,)]:
        failure = run(commands)
        if path := find_browser(own):
            return path
        failures.append(failure)
    raise NoBrowser("no Chromium or Chrome on this machine, and none could be installed:\n" + "\n".join(failures))


def run(commands: tuple[list[str], ...]) -> str:
    """Run commands until one fails; returns the end of its output, or "" if none fails."""
    for command in commands:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        try:
            end = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT, env=environment)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)}: {error}"
        if end.returncode:
            return f"{' '.join(command)}: {end.stderr.strip()[-500:]}"
    return ""


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
