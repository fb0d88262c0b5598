# SPDX-License-Identifier: Apache-2.0
"""The server's firewall drops every RST; one comes in the middle of a handshake, which goes on.

Reported: "iptables --tcp-flags RST RST -j DROP" against forged resets; a client behind a NAT that resets what it does not know.
Right: the half-open request never got it: one connection, and it is completed.
"""
from field import *
import forge

need("nft")
OWN = ("10.9.0.3", 40011)


class Peer:
    """A client by hand."""

    def __init__(self, peer):
        self.peer, self.seq, self.rcv = peer, 1000000, 0
        self.wire = forge.Sniffer("to-b")

    def send(self, flags, payload=b"", options=b""):
        forge.send(forge.segment(OWN, self.peer, self.seq, self.rcv, flags, payload, options=options), self.peer[0])
        if not flags & forge.RST:
            self.seq += len(payload) + bool(flags & forge.SYN) + bool(flags & forge.FIN)

    def wait(self, flag):
        """For a segment of the server with this flag; what comes next then is acknowledged."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            self.wire.read()
            seq, _, flags = self.wire.seen.get((self.peer, OWN), (0, 0, 0))
            if flags & flag:
                self.rcv = seq
                return
        raise TimeoutError("the server did not answer")


def server():
    c = accepted(listen(7531))
    size = len(read_all(c))
    c.close()
    return size


def client():
    peer = Peer((B, 7531))
    peer.send(forge.SYN, options=bytes([2, 4, 5, 180]))
    peer.wait(forge.SYN)
    peer.send(forge.RST)
    time.sleep(0.3)
    peer.send(forge.ACK)
    peer.send(forge.ACK | forge.PSH, b"hello")
    peer.send(forge.ACK | forge.FIN)
    peer.wait(forge.FIN)
    peer.send(forge.ACK)


def play(lab):
    lab.pair()
    mac = lab.shell("a", "cat /sys/class/net/to-b/address").strip()
    lab.shell("b", f"ip neigh replace {OWN[0]} lladdr {mac} dev to-a nud permanent")
    lab.nft("b", "table inet f { chain i { type filter hook input priority 0; tcp flags & rst == rst drop; }\n}")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7531)
    lab.actor("a", "fld-cli", client).result()
    lab.must(serving.result() == 5, "it did not all arrive")


expect = {"b": view(life(local=":7531", outcome="completed", process="fld-srv", closed_by="peer", rx=5, may={"rx-dropped": "certain"}))}
