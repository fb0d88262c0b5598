# SPDX-License-Identifier: Apache-2.0
"""A daemon dies, and a helper that it started still has its listening socket: the port is open, handshakes complete, and nobody ever accepts.

Reported: claude-mem 3450, toit 3106: "the port is in use by a process that does not exist", clients hang for their whole timeout.
Right: the helper has the listener open; the daemon is gone and must not be named as who is to accept.
"""
from field import *


def server(channel):
    s = listen(7485)
    helper = os.fork()
    if helper == 0:
        ctypes.CDLL(None).prctl(15, b"fld-helper", 0, 0, 0)
        time.sleep(8)
        os._exit(0)
    channel.send(b"up")
    time.sleep(60)
    s.close()


def client():
    c = connect(B, 7485)
    c.sendall(b"hello")
    time.sleep(1)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("b")
    ours, theirs = socket.socketpair()
    served = lab.server("b", "fld-srv", server, 7485, theirs)
    ours.recv(2)
    served.kill()
    time.sleep(2.5)
    lab.actor("a", "fld-cli", client).result()
    time.sleep(5)


expect = {"b": view(life(local=":7485", process="fld-helper", rx=5, tx=0, may={"slow-accept": "certain", "reset-origin": "certain", "retransmission": "certain"},
                         never=["fld-srv"]))}
