# SPDX-License-Identifier: Apache-2.0
"""The network loses some segments and delivers others twice: the retransmissions were needed, the copies are nobody's.

Reported: flapping bonds, Wi-Fi and mesh links; D-SACKs that say nothing of the sender's retransmissions (TCPDSACKIgnoredDubious).
Right: what was sent again made good for loss, as nstat counts it on the client; none of it was spurious, on either side.
"""
from field import *
from middlebox import middlebox

need("nstat")
SIZE = 400_000


def lossy():
    passed = [0]

    def some(frame, to_b):
        if not to_b or not frame.length:
            return None
        passed[0] += 1
        if passed[0] % 40 == 39:
            return []
        return [(True, bytes(frame.data))] * (2 if passed[0] % 8 == 4 else 1)

    return some


def server():
    c = accepted(listen(7154))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7154)
    c.sendall(b"x" * SIZE)
    c.shutdown(socket.SHUT_WR)
    c.recv(1)
    c.close()


def play(lab):
    box = middlebox(lab, lossy())
    lab.sysctl("a", "net.ipv4.tcp_early_retrans", 0)  # no tail-loss probes, which can be needless
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7154)
    lab.actor("a", "fld-cli", client).result()
    lab.must(lab.nstat("a", "TcpExtTCPDSACKIgnoredDubious") > 3, "the client's kernel has no doubt")
    lab.must(lab.nstat("a", "TcpExtTCPTimeouts") == 0, "a timeout, which sends more than was lost")
    box.kill()


found = {"findings": {"retransmission": "certain"}, "may": {"old-timestamp": "certain", "slow-handshake": "likely"}, "never": ["spurious"]}
expect = {
    "a": view(life(f"{B}:7154", "completed", process="fld-cli", tx=SIZE, **found)),
    "b": view(life(local=":7154", outcome="completed", process="fld-srv", rx=SIZE, **found)),
}
