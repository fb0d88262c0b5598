# SPDX-License-Identifier: Apache-2.0
"""A server is killed (SIGKILL), and a child of it that it forked still has the client's socket; the child ends later.

Reported: "we killed the server, and the client noticed nothing": CGI helpers, daemons that fork, supervisors.
Right: the death of the parent ended nothing. The child's end closed the connection, first, by a FIN: that process is named.
"""
from field import *

PIDS = {}


def server(channel, go):
    s = listen(7441)
    c = accepted(s)
    c.sendall(read_all(c, 5))
    child = os.fork()
    if child == 0:
        s.close()
        ctypes.CDLL(None).prctl(15, b"fld-child", 0, 0, 0)
        go.wait()
        os._exit(0)
    channel.send(str(child).encode())
    go.wait(60)


def client():
    c = connect(B, 7441)
    c.sendall(b"hello")
    read_all(c, 5)
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("b")
    ours, theirs = socket.socketpair()
    go = Signal()
    served = lab.server("b", "fld-srv", server, 7441, theirs, go)
    asked = lab.actor("a", "fld-cli", client)
    child = int(ours.recv(20))
    served.kill()
    time.sleep(0.3)
    go.set()
    asked.result()
    PIDS["child"] = child


def named_child(text):
    return "fld-child[" + str(PIDS["child"]) in text


expect = {"b": view(life(local=":7441", outcome="completed", process="fld-srv", closed_by="local", tx=5, rx=5, says=["fld-child\\[\\d+\\] exited with nothing unread"],
                         findings={"time-wait": "certain"}, never=["fld-srv\\[\\d+\\] (?:exited|closed|was killed)"], explanation=named_child))}
