"""One stack for the end-to-end suite, started like a user starts it: by `make run`."""

import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext

from deploy.local.ports import free_port_base
from tests.e2e.browser import open_browser
from tests.e2e.dashboard import Dashboard, open_dashboard
from tests.e2e.stack import ROOT, Stack


@pytest.fixture(scope="package")
def data_folder() -> Iterator[Path]:
    """The data folder of a running stack without history. SIGTERM to make must stop all of its processes."""
    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        data = Path(folder) / "data"
        arguments = {"DATA": str(data), "PORT_BASE": str(free_port_base()), "DEMO": "0"}
        environment = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
        make = subprocess.Popen(["make", "run", *(f"{k}={v}" for k, v in arguments.items())], cwd=ROOT, env=environment)
        try:
            Stack.wait_for_file(data / "demo.json", make)
            yield data
        finally:
            make.send_signal(signal.SIGTERM)
            make.wait(60)


@pytest.fixture(scope="package")
async def stack(data_folder: Path) -> AsyncIterator[Stack]:
    async with Stack(data_folder) as stack:
        yield stack


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


@pytest.fixture(scope="package")
async def profile(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A profile of the browser for all dashboards: a later page gets the scripts from the cache of an earlier one."""
    context = await browser.new_context(viewport={"width": 1600, "height": 1000}, locale="en-GB", reduced_motion="reduce")
    yield context
    await context.close()


@pytest.fixture
async def dashboard(stack: Stack, profile: BrowserContext) -> AsyncIterator[Dashboard]:
    async with open_dashboard(stack, profile) as dashboard:
        yield dashboard
