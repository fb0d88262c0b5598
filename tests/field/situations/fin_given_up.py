# SPDX-License-Identifier: Apache-2.0
"""A server answers the client's FIN by its own, whose ACK is lost, and closes with SO_LINGER 0: the FIN is not sent again, nor a RST.

Reported: servers that set SO_LINGER 0 on each socket ("no TIME_WAIT"), over a path that loses an ACK.
Right: the process closed it, in LAST_ACK (tcp_need_reset() leaves that state out); whether the client has the FIN does not show. So
does a client whose FIN is lost and crosses the server's, in CLOSING; it waits in no TIME_WAIT.
"""
from field import *

need("nft")


def server(goes):
    c = accepted(listen(7930))
    read_all(c)
    c.sendall(b"bye")
    goes.wait()
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.1)
    abort(c)


def client(ready):
    c = connect(B, 7930)
    c.sendall(b"hello")
    c.shutdown(socket.SHUT_WR)
    read_all(c, 3)
    time.sleep(0.1)
    ready.set()
    read_all(c)
    c.close()


def quiet_server(goes):
    c = accepted(listen(7931))
    goes.wait()
    c.close()


def crossing_client(ready, cut, crossed):
    c = connect(B, 7931)
    ready.set()
    cut.wait()
    c.shutdown(socket.SHUT_WR)
    crossed.wait()
    abort(c)


def both_cross(lab):
    ready, cut, goes, crossed = Signal(), Signal(), Signal(), Signal()
    serving = lab.server("b", "fld-srv", quiet_server, 7931, goes)
    crossing = lab.actor("a", "fld-cross", crossing_client, ready, cut, crossed)
    ready.wait()
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7931 drop; }\n}")
    cut.set()
    goes.set()
    serving.result()
    until(lambda: lab.sockets("a", "state closing dport = :7931"), 5, "the client to get the FIN")
    crossed.set()
    crossing.result()


def play(lab):
    lab.pair()
    ready, goes = Signal(), Signal()
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7930, goes)
    asking = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp dport 7930 drop; }\n}")
    goes.set()
    asking.result()
    serving.result()
    lab.must(not lab.sockets("b", "sport = :7930"), "the socket is still there")
    lab.watches[0].stop()
    lab.watch("a")
    both_cross(lab)


given_up = {"says": ["before the peer had acknowledged this side's FIN"], "never": ["cause was not seen", "ACK of FIN", "TIME_WAIT"]}
expect = {
    "a": view(life(f"{B}:7931", "unknown", process="fld-cross", may={"retransmission": "certain"}, **given_up), may={"stray-segment": "certain"}),
    "b": view(life(local=":7930", outcome="unknown", process="fld-srv", closed_by="peer", tx=3, rx=5, **given_up)),
}
