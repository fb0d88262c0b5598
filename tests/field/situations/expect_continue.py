# SPDX-License-Identifier: Apache-2.0
"""curl asks "Expect: 100-continue"; the server ignores that, and curl waits for a second before it sends the body.

Reported: libcurl, .NET and Java clients: "each POST takes exactly one second"; the server is blamed.
Right: the client waited with its request; the server answered at once when it was whole.
"""
from field import *

need("curl")


def server():
    c = accepted(listen(8081))
    data = b""
    while b"\r\n\r\n" not in data:
        data += c.recv(65536)
    body = data.split(b"\r\n\r\n", 1)[1]
    while len(body) < 3000:
        body += c.recv(65536)
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 8081)
    lab.must(curl(lab, "a", "-H", "Expect: 100-continue", "-d", "x" * 3000, f"http://{B}:8081/")[0] == 0, "no answer")


never = ["took 1[.].* to its first byte", "answer came after 1"]
expect = {
    "a": view(life(f"{B}:8081", "completed", process="curl", never=never)),
    "b": view(life(local=":8081", outcome="completed", process="fld-srv", never=never)),
}
