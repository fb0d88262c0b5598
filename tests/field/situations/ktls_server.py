# SPDX-License-Identifier: Apache-2.0
"""A server encrypts in the kernel (kTLS): send() takes 10,000 bytes, and what leaves is more, in records.

Reported: nginx' and haproxy's kTLS: "bytes do not match what the application sent".
Right: completed; bytes are those of TCP, records included, and kernel and wire agree.
"""
from field import *

TCP_ULP, SOL_TLS, TLS_TX = 31, 282, 1
KEY = struct.pack("=HH8s16s4s8s", 0x0303, 51, b"i" * 8, b"k" * 16, b"s" * 4, b"\0" * 8)  # TLS 1.2, AES-GCM-128


def server():
    c = accepted(listen(7334))
    read_all(c, 5)
    try:
        c.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
    except OSError as error:
        return str(error)
    c.setsockopt(SOL_TLS, TLS_TX, KEY)
    c.sendall(b"x" * 10_000)
    c.recv(1)
    c.close()
    return ""


def client():
    c = connect(B, 7334)
    c.sendall(b"hello")
    try:
        read_all(c, 10_029)
    except OSError:
        pass
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7334)
    talks = lab.actor("a", "fld-cli", client)
    reason = served.result()
    talks.result()
    if reason:
        raise Skip(f"no kTLS here: {reason}")


expect = {
    "a": view(life(f"{B}:7334", "completed", process="fld-cli", closed_by="local", tx=5, rx=10_029, wire__rx_bytes=10_029)),
    "b": view(life(local=":7334", outcome="completed", process="fld-srv", closed_by="peer", tx=10_029, rx=5, wire__tx_bytes=10_029)),
}
