"""A browser for the tests: a Chromium or Chrome that is there; else, as root on Debian, Debian's; else Playwright's own."""

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
UNBOXED = ["--no-sandbox", "--disable-dev-shm-usage"]
"""Chromium's sandbox refuses to work as root."""
DEBIAN = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
OWN = [sys.executable, "-m", "playwright", "install", "chromium"]
PATIENCE = 600


class NoBrowser(Exception):
    """There is no Chromium or Chrome, and none could be installed."""


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A headless browser, installed first where there is none. Raises NoBrowser."""
    async with async_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        path = found(own) or installed(own)
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS + (UNBOXED if is_root() else []))
        try:
            yield browser
        finally:
            await browser.close()


def found(own: Path) -> str | None:
    """The browser that is there: on the path, at the usual places, or Playwright's `own`."""
    on_path = (shutil.which(name) for name in NAMES)
    at_places = (place for place in (*PLACES, str(own)) if Path(place).exists())
    return next((path for path in on_path if path), None) or next(at_places, None)


def installed(own: Path) -> str:
    """A browser that wasn't there a moment ago."""
    troubles = []
    ways = [DEBIAN] if is_root() and shutil.which("apt-get") else []
    for commands in [*ways, (OWN,)]:
        trouble = ran(commands)
        if path := found(own):
            return path
        troubles.append(trouble)
    raise NoBrowser("no Chromium or Chrome on this machine, and none could be installed:\n" + "\n".join(troubles))


def ran(commands: tuple[list[str], ...]) -> str:
    """Run commands until one fails; returns the last words of that one."""
    for command in commands:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        try:
            end = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=environment)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)}: {error}"
        if end.returncode:
            return f"{' '.join(command)}: {end.stderr.strip()[-500:]}"
    return ""


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
