#!/usr/bin/python3
"""Many connections to an echo_server.py, through whatever is between: echo_client.py ADDRESS PORT

Prints "ready", then obeys a line of its input at a time, and answers each by a line of JSON:

  open KEY FIRST COUNT   connections of that key from local ports FIRST on: their number by server
  ask KEY                each asks who answers: {"same": N, "moved": N, "broken": N}
  close KEY
  udp KEY FIRST COUNT    the same by datagrams: an exchange from each port, by server
  askudp KEY
"""

import asyncio
import collections
import contextlib
import json
import resource
import socket
import sys

PATIENCE = 20  # s, until something counts as broken
AT_ONCE = 16   # so many flows are begun


class Exchange:
    """A flow that is open, and which server answered its first question."""

    def __init__(self, server, ask, close):
        self.server, self.ask, self.close = server, ask, close


async def connect(address, port, local):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", local))
    await asyncio.get_running_loop().sock_connect(s, (address, port))
    reader, writer = await asyncio.open_connection(sock=s)

    async def ask():
        writer.write(b"who\n")
        if not (answer := await reader.readline()):
            raise ConnectionError("closed")
        return answer.decode().strip()

    async def close():
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    return Exchange(await ask(), ask, close)


async def exchange(address, port, local):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    s.bind(("", local))
    s.connect((address, port))
    loop = asyncio.get_running_loop()

    async def ask():
        await loop.sock_sendall(s, b"who")
        return (await loop.sock_recv(s, 64)).decode().strip()

    async def close():
        s.close()

    return Exchange(await ask(), ask, close)


async def all_of(work):
    """Results, or the exception of each that failed."""
    return await asyncio.gather(*(asyncio.wait_for(each, PATIENCE) for each in work),
                                return_exceptions=True)


class Client:
    def __init__(self, address, port):
        self.to = (address, int(port))
        self.open = {}

    async def begin(self, how, key, first, count):
        opened = []
        for at in range(first, first + count, AT_ONCE):
            opened += await all_of(how(*self.to, local)
                                   for local in range(at, min(at + AT_ONCE, first + count)))
        self.open[key] = [each for each in opened if isinstance(each, Exchange)]
        by = collections.Counter(each.server for each in self.open[key])
        why = collections.Counter(repr(each) for each in opened if isinstance(each, Exception))
        return {"by": dict(by), "broken": count - len(self.open[key]), "why": dict(why)}

    async def ask(self, key):
        answers = await all_of(each.ask() for each in self.open[key])
        counts = collections.Counter(
            "broken" if isinstance(answer, Exception)
            else "same" if answer == each.server else "moved"
            for each, answer in zip(self.open[key], answers))
        return {"same": counts["same"], "moved": counts["moved"], "broken": counts["broken"]}

    async def close(self, key):
        await all_of(each.close() for each in self.open.pop(key))
        return {}

    async def obey(self, verb, key, *numbers):
        if verb in ("open", "udp"):
            return await self.begin(connect if verb == "open" else exchange, key,
                                    *map(int, numbers))
        return await (self.close(key) if verb == "close" else self.ask(key))


async def main(*to):
    client = Client(*to)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await client.obey(*line.split())), flush=True)


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
asyncio.run(main(*sys.argv[1:]))
