# SPDX-License-Identifier: Apache-2.0
"""A socket that connects to itself on loopback.

Reported: tokio 3405, libzmq 4588, OpenDJ 728.
Right (RFC 9293, 3.5, simultaneous open): one socket; local and remote are the same; nobody listens and nobody accepts; what is sent comes back.
Nothing is sent again.
"""
from field import *


def client():
    s = connect("127.0.0.1", 45454, ("127.0.0.1", 45454))
    s.sendall(b"hello")
    data = s.recv(10)
    time.sleep(0.1)
    s.close()
    return data


def play(lab):
    lab.netns("a")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-self", client).result() == b"hello", "the bytes did not come back")


expect = {"a": view(life("127.0.0.1:45454", "completed", local="127.0.0.1:45454", process="fld-self", tx=5, rx=5, retransmits=0, never=["accept"]),
                    never=["not seen", "waits for accept"])}
