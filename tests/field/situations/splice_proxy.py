# SPDX-License-Identifier: Apache-2.0
"""A proxy that moves bytes by splice() alone: neither recv() nor send() is ever called on either socket.

Reported: haproxy's splice-auto, Go's io.Copy between two TCPConn; tools that hook recv() and send() name nobody.
Right: both connections belong to the proxy; nothing says that it never read.
"""
from field import *


def proxy():
    c = accepted(listen(7310))
    d = connect("10.9.0.1", 7311)
    c.setblocking(True)
    d.setblocking(True)
    for source, target in ((c, d), (d, c)):
        reader, writer = os.pipe()
        moved = 0
        while moved < 50_000:
            size = os.splice(source.fileno(), writer, 65536)
            moved += size
            while size:
                size -= os.splice(reader, target.fileno(), size)
        os.close(reader)
        os.close(writer)
    time.sleep(0.2)
    d.close()
    c.close()


def server():
    c = accepted(listen(7311))
    c.sendall(read_all(c, 50_000))
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7310)
    c.sendall(b"z" * 50_000)
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("b")
    lab.server("a", "fld-srv", server, 7311)
    lab.server("b", "fld-proxy", proxy, 7310)
    lab.actor("a", "fld-cli", client).result()


expect = {"b": view(
    life(local=":7310", outcome="completed", process="fld-proxy", role="passive", closed_by="local", tx=50_000, rx=50_000),
    life(f"{A}:7311", "completed", process="fld-proxy", role="active", closed_by="local", tx=50_000, rx=50_000))}
