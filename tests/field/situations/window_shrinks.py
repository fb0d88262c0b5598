# SPDX-License-Identifier: Apache-2.0
"""A receiver that does not read takes back window that it had offered (net.ipv4.tcp_shrink_window, Linux 6.6): data in flight lies beyond it.

Reported: Cloudflare's "unbounded memory usage by TCP for receive buffers"; RFC 7323, 2.4.
Right: the window was closed by the process that does not read; what lay beyond it was sent again for that, not for loss. Nobody forged anything.
"""
from field import *


def server(go):
    s = listen(7651)
    c = accepted(s)
    go.wait()
    size = len(read_all(c))
    c.close()
    return size


def client(sent):
    c = connect(B, 7651)
    c.settimeout(30)
    c.sendall(b"x" * 6_000_000)
    c.close()


def play(lab):
    lab.pair()
    if not os.path.exists("/proc/sys/net/ipv4/tcp_shrink_window"):
        raise Skip("no tcp_shrink_window")
    lab.sysctl("b", "net.ipv4.tcp_shrink_window", 1)
    go, sent = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7651, go)
    sending = lab.actor("a", "fld-cli", client, sent)
    time.sleep(2)
    go.set()
    sending.result()
    lab.must(served.result() == 6_000_000, "it did not all arrive")


expect = {
    "a": view(life(f"{B}:7651", "completed", process="fld-cli", closed_by="local", tx=6_000_000, rx=0, findings={"zero-window": "certain"}, may={"retransmission": "certain"})),
    "b": view(life(local=":7651", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=6_000_000, findings={"zero-window": "certain"}, may={"retransmission": "certain", "rx-dropped": "certain", "out-of-window": "certain"})),
}
