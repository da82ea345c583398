#!/usr/bin/python3
"""One HTTP connection, a request for each line of input: http_client.py ADDRESS [PORT]

Prints "ready" once connected, then the body of each answer.
"""

import http.client
import sys


def main(address, port="80"):
    connection = http.client.HTTPConnection(address, int(port), timeout=20)
    connection.connect()
    print("ready", flush=True)
    for line in sys.stdin:
        connection.request("GET", line.strip())
        print(connection.getresponse().read().decode().strip(), flush=True)


main(*sys.argv[1:])
