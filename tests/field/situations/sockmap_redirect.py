# SPDX-License-Identifier: Apache-2.0
"""Both ends are on one host and in a socket map: what one sends a BPF program puts into the other one's queue. The data never is a segment.

Reported: cilium's sockops, istio's bypass ("tcpdump shows the handshake and nothing else").
Right: two ends of one connection that completed; no byte of payload passed TCP or an interface, and nothing is missing, late or disagreeing.
"""
from bpf_calls import SK_MSG, SK_MSG_VERDICT, attach, load, put_socket, socket_map
from field import *


def both():
    s = listen(7303, "127.0.0.1")
    c = connect("127.0.0.1", 7303)
    d = accepted(s)
    pair = socket_map(1)
    # bpf_msg_redirect_map(msg, map, 0, BPF_F_INGRESS)
    program = load(SK_MSG, [(0x18, 0x12, 0, pair), (0, 0, 0, 0), (0xb7, 3, 0, 0), (0xb7, 4, 0, 1), (0x85, 0, 0, 60), (0x95, 0, 0, 0)], SK_MSG_VERDICT)
    attach(pair, program, SK_MSG_VERDICT)
    put_socket(pair, 0, d.fileno())
    sender = socket_map(1)
    attach(sender, program, SK_MSG_VERDICT)
    put_socket(sender, 0, c.fileno())
    c.sendall(b"x" * 5000)
    got = len(read_all(d, 5000))
    time.sleep(0.3)
    c.close()
    d.recv(1)
    d.close()
    return got


def play(lab):
    lab.netns("a")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-both", both).result() == 5000, "the data did not come")


expect = {"a": view(
    life("127.0.0.1:7303", "completed", process="fld-both", role="active", closed_by="local", tx=0, rx=0),
    life(local="127.0.0.1:7303", outcome="completed", process="fld-both", role="passive", closed_by="peer", tx=0, rx=0))}
