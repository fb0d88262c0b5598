# SPDX-License-Identifier: Apache-2.0
"""The peer answers SYNs with ICMP messages of all kinds.

Right: those that end a connect() make it unreachable, each with its errno. A source quench ends nothing.
"""
from field import *

import forge


def icmp(kind, code, inner):
    head = struct.pack("!BBHI", kind, code, 0, 0)
    return head[:2] + struct.pack("!H", forge.checksum(head + inner)) + head[4:] + inner


def outsider(up):
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    sniffer.bind(("to-a", 0x0800))
    sniffer.settimeout(20)
    up.set()
    done = set()
    while len(done) < 9:
        frame = sniffer.recv(2000)
        if frame[23] != 6:
            continue
        sport, dport = struct.unpack("!HH", frame[34:38])
        if not 7950 <= dport < 7960 or dport in done:
            continue
        done.add(dport)
        kind, code = CODES[dport - 7950]
        forge.send(forge.ip_packet(B, A, 1, icmp(kind, code, frame[14:14 + 28])), A)


ERRORS = [errno.ENOPROTOOPT, errno.ENONET, errno.EHOSTUNREACH, errno.EHOSTUNREACH, errno.EOPNOTSUPP, errno.EPROTO, errno.EHOSTUNREACH, errno.ENETUNREACH]
CODES = ((3, 2), (3, 8), (3, 10), (3, 13), (3, 5), (12, 0), (11, 0), (3, 0), (4, 0))


def client(port):
    return error_of(connect, B, port, None, 1.5)


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7950-7960 drop; }\n}")
    up = Signal()
    lab.actor("b", "fld-evil", outsider, up)
    up.wait()
    lab.watch("a")
    got = [lab.actor("a", "fld-cli", client, 7950 + n) for n in range(9)]
    got = [one.result() for one in got]
    lab.must(got == ERRORS + [errno.ETIMEDOUT], f"{got}")


expect = {"a": view(*[life(f"{B}:{7950 + n}", "unreachable", process="fld-cli", closed_by="none", errno=number) for n, number in enumerate(ERRORS)],
                    life(f"{B}:7958", "connect-cancelled", process="fld-cli", may={"retransmission": "certain"}))}
