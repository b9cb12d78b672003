"""So many slow clients: python -m tests.support.server.slow_crowd PORT. In a process of their own, as they are in life.

Half of them send the head of a request a byte a second, half of them a body. Whoever is thrown out comes back.
"""

import asyncio
import resource
import sys
from contextlib import suppress

CLIENTS, COMES_BACK_SECONDS = 1200, 2
SLOW_HEAD = b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
SLOW_BODY = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n"


async def slow_client(port: int, begin: bytes, there: asyncio.Semaphore) -> None:
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            there.release()
            try:
                writer.write(begin)
                while not writer.is_closing():
                    await asyncio.sleep(1)
                    writer.write(b"x")
                    await writer.drain()
            finally:
                writer.close()
        await asyncio.sleep(COMES_BACK_SECONDS)


async def crowd(port: int) -> None:
    """Until it is killed; a line says that all of them have been there."""
    there = asyncio.Semaphore(0)
    begins = (SLOW_HEAD, SLOW_BODY)
    clients = [asyncio.create_task(slow_client(port, begins[n % 2], there)) for n in range(CLIENTS)]
    for _ in clients:
        await there.acquire()
    sys.stdout.write("all are there\n")
    sys.stdout.flush()
    await asyncio.gather(*clients)


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CLIENTS * 2), hard))
    asyncio.run(crowd(int(sys.argv[1])))
