#!/usr/bin/python3
"""Answers each line, and each datagram, with its own name: echo_server.py NAME PORT

Listens by TCP and UDP on all IPv4 and IPv6 addresses. Prints "ready" once it does.
"""

import asyncio
import resource
import socket
import sys


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, name):
        self.name = name

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, _, client):
        self.transport.sendto(self.name, client)


async def main(name, port):
    name = name.encode() + b"\n"

    async def serve(reader, writer):
        try:
            while await reader.readline():
                writer.write(name)
        except ConnectionError:
            pass
        writer.close()

    stream = socket.create_server(("::", int(port)), family=socket.AF_INET6, backlog=4096,
                                  dualstack_ipv6=True)
    server = await asyncio.start_server(serve, sock=stream)
    # Of each address a socket of its own, so that answers come from the one that was asked.
    loop = asyncio.get_running_loop()
    for line in sys.stdin.readline().split():
        await loop.create_datagram_endpoint(lambda: Datagrams(name), local_addr=(line, int(port)))
    print("ready", flush=True)
    await server.serve_forever()


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
asyncio.run(main(*sys.argv[1:]))
