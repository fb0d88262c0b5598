# SPDX-License-Identifier: Apache-2.0
"""A peer whose TCP is that of Windows or a BSD meets a closed window: it probes it with the next byte, and sends that byte again with the rest.

Reported: Wireshark 12022 and netdev's "zero window probe with one byte": each such byte counted as a retransmission.
Right: the window was closed. The byte was refused and then taken: nothing was lost, and nobody sent out of the window.
"""
from field import *
from byte_probes import ByteProber

SIZE = 120_000


def server():
    s = listen(7693)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
    c = accepted(s)
    for _ in range(30):  # it sends, and does not read
        c.sendall(b"y" * 10)
        time.sleep(0.1)
    size = len(read_all(c))
    c.close()
    return size


def client():
    sender = ByteProber("to-b", ("10.9.0.3", 40_001), (B, 7693))
    sender.connect()
    sender.send_all(SIZE)
    sender.close()
    return sender.probes


def play(lab):
    lab.pair()
    mac = lab.shell("a", "cat /sys/class/net/to-b/address").strip()
    lab.shell("b", f"ip neigh replace 10.9.0.3 lladdr {mac} dev to-a nud permanent")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7693)
    sending = lab.actor("a", "fld-cli", client)
    lab.must(sending.result() >= 3, "the window was not probed")
    lab.must(serving.result() == SIZE, "it did not all arrive")


expect = {"b": view(life(local=":7693", outcome="completed", process="fld-srv", closed_by="peer", tx=300, rx=SIZE, retransmits_in=0,
                         findings={"zero-window": "certain"}, may={"slow-accept": "certain"}, never=["out of the window", "sent again"]))}
