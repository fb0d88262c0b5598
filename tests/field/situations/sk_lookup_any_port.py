# SPDX-License-Identifier: Apache-2.0
"""A BPF program at the socket look-up gives connections for a port that nobody listens on to a listener of another port.

Reported: Cloudflare's "It's crowded in here" (tubular): one listener behind thousands of ports; ss shows no listener.
Right: each connection was accepted by that process on the port that the client asked for. No SYN was for nobody.
"""
from field import *
import bpf_calls

ASKED, LISTENED = 7695, 7696


def server(ready, done):
    s = listen(LISTENED)
    listeners = bpf_calls.socket_map(1)
    bpf_calls.put_socket(listeners, 0, s.fileno())
    program = bpf_calls.load(bpf_calls.SK_LOOKUP, [
        (0xbf, 0x16, 0, 0),  # r6 = ctx
        (0x61, 0x62, 60, 0), (0x55, 2, 14, ASKED),  # another bpf_sk_lookup.local_port: to the end
        (0x62, 10, -4, 0), (0xbf, 0xa2, 0, 0), (0x07, 2, 0, -4),
        (0x18, 0x11, 0, listeners), (0, 0, 0, 0), (0x85, 0, 0, 1),  # bpf_map_lookup_elem()
        (0x15, 0, 7, 0),
        (0xbf, 0x07, 0, 0), (0xbf, 0x61, 0, 0), (0xbf, 0x72, 0, 0),
        (0xb7, 3, 0, 0), (0x85, 0, 0, 124),  # bpf_sk_assign()
        (0xbf, 0x71, 0, 0), (0x85, 0, 0, 86),  # bpf_sk_release()
        (0xb7, 0, 0, 1), (0x95, 0, 0, 0)], bpf_calls.AT_SK_LOOKUP)
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    attached = bpf_calls.link(here, program, bpf_calls.AT_SK_LOOKUP)
    ready.set()
    c = accepted(s)
    c.sendall(read_all(c, 5))
    c.close()
    done.wait()
    os.close(attached)


def client():
    c = connect(B, ASKED)
    c.sendall(b"hello")
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    ready, done = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, LISTENED, ready, done)
    ready.wait()
    lab.actor("a", "fld-cli", client).result()
    done.set()
    served.result()


expect = {
    "a": view(life(f"{B}:{ASKED}", "completed", process="fld-cli", closed_by="peer", tx=5, rx=5)),
    "b": view(life(local=f":{ASKED}", outcome="completed", process="fld-srv", closed_by="local", tx=5, rx=5)),
}
