"""Waiting for a descriptor beside everything else that the event loop does."""

import asyncio


async def readable(descriptor: int) -> None:
    """Until there is something to read, or no more; of a pidfd: until its process has ended."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
