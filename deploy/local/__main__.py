"""`python -m deploy.local` (`make run`): run the whole stack until Ctrl-C or SIGTERM."""

import asyncio
import signal
import sys

import httpx
from pydantic import ValidationError

from deploy.local.files import locked_folder
from deploy.local.processes import StartFailed
from deploy.local.settings import Settings
from deploy.local.stack import Stack
from deploy.local.terminal import Terminal


async def run(settings: Settings, terminal: Terminal) -> None:
    """Run the stack until the first signal, then stop all of it. Further signals have no effect."""
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with httpx.AsyncClient(timeout=30) as http:
        stack = Stack(settings, terminal, http)
        work = asyncio.create_task(stack.run())
        end = asyncio.create_task(stopping.wait())
        await asyncio.wait({work, end}, return_when=asyncio.FIRST_COMPLETED)
        terminal.say()
        terminal.doing("stopping")
        for task in (work, end):
            task.cancel()
        result, _ = await asyncio.gather(work, end, return_exceptions=True)
        await stack.stop()
        if isinstance(result, Exception):
            raise result
        terminal.say("stopped")


def main() -> int:
    """Run the stack until a signal, with the data folder locked. Returns the exit status."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit("\n".join(f"Invalid setting {str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()))
    with Terminal() as terminal:
        try:
            with locked_folder(settings.folder):
                asyncio.run(run(settings, terminal))
        except StartFailed as error:
            terminal.failed(str(error))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
