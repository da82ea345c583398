#!/usr/bin/python3
"""A web server that answers with its own name: http_backend.py NAME [LOG [PORT]]

Listens on all IPv4 and IPv6 addresses. Prints "ready" once it does. Each request is a line
in LOG: the address that was asked, the client's, the path.
"""

import http.server
import socket
import sys


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # /octets/N answers N octets, for transfers that take more than one packet.
        size = int(self.path.removeprefix("/octets/")) if "/octets/" in self.path else 0
        body = bytes(size) or (self.server.name + "\n").encode()
        self.server.note(self)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Server-Name", self.server.name)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, name, log, port):
        self.name = name
        self.log = open(log, "a", buffering=1)
        super().__init__(("::", port), Answer)

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Not HTTPServer's: it asks the resolver for a name, and there is none here.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def note(self, request):
        asked, client = request.connection.getsockname(), request.client_address
        self.log.write(f"{plain(asked[0])} {plain(client[0])} {request.path}\n")


def plain(address):
    return address.removeprefix("::ffff:")


def main(name, log="/dev/null", port="80"):
    server = Server(name, log, int(port))
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
