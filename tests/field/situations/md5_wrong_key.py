# SPDX-License-Identifier: Apache-2.0
"""Both ends sign (RFC 2385), with different keys.

Reported: FRRouting and BIRD: "BGP does not come up after the password was changed".
Right: the client's connect times out; at the server the SYNs were dropped, and the kernel's reason says why.
"""
from field import *
from md5_missing import KEY, TCP_MD5SIG

OTHER = struct.pack("=HHI120sBBHII80s", socket.AF_INET, 0, struct.unpack("=I", socket.inet_aton(B))[0], b"", 0, 0, 7, 0, 0, b"another")


def server(over):
    s = socket.socket()
    s.bind(("", 7306))
    s.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, KEY)
    s.listen(5)
    over.wait(30)


def client():
    c = socket.socket()
    c.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, OTHER)
    c.settimeout(2.5)
    return error_of(c.connect, (B, 7306))


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    over = Signal()
    lab.server("b", "fld-srv", server, 7306, over)
    said = lab.actor("a", "fld-cli", client).result()
    over.set()
    lab.must(said == errno.ETIMEDOUT, "it was answered")


expect = {
    "a": view(life(f"{B}:7306", "connect-cancelled", process="fld-cli", findings={"retransmission": "certain"}, says=["no answer had come"])),
    "b": view(life(local=":7306", outcome="syn-dropped", findings={"rx-dropped": "certain"}, may={"retransmission": "likely"}, says=["MD5"])),
}
