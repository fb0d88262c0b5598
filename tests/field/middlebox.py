# SPDX-License-Identifier: Apache-2.0
"""A box between two hosts that changes what passes: it answers in their names, drops, or rewrites headers."""
import select
import socket
import struct

from lab import Signal
from relay import PACKET_OUTGOING, wire

FIN, SYN, RST, ACK = 1, 2, 4, 16
NOP, TIMESTAMPS = 1, 8


def folded(data):
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


class Frame:
    """An Ethernet frame; of TCP over IPv4 with its header's fields."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.is_tcp = data[12:14] == b"\x08\x00" and data[23] == 6
        if self.is_tcp:
            self.tcp = 14 + (data[14] & 15) * 4
            self.end = 14 + struct.unpack("!H", data[16:18])[0]
            self.ports = struct.unpack("!HH", data[self.tcp:self.tcp + 4])
            self.seq, self.ack = struct.unpack("!II", data[self.tcp + 4:self.tcp + 12])
            self.flags = data[self.tcp + 13]
            self.payload = self.tcp + (data[self.tcp + 12] >> 4) * 4
            self.length = self.end - self.payload

    def option(self, kind):
        """Where the option's value is; None where there is none."""
        at = self.tcp + 20
        while at < self.payload and self.data[at]:
            if self.data[at] == kind:
                return at + 2
            at += 1 if self.data[at] == NOP else self.data[at + 1]
        return None

    def with_checksum(self):
        data, end = self.data, self.end
        data[self.tcp + 16:self.tcp + 18] = b"\0\0"
        pseudo = bytes(data[26:34]) + b"\0\6" + struct.pack("!H", end - self.tcp)
        data[self.tcp + 16:self.tcp + 18] = folded(pseudo + bytes(data[self.tcp:end]) + b"\0" * ((end - self.tcp) % 2))
        return bytes(data)

    def icmp_too_big(self, mtu):
        """What a router answers to this frame: it is larger than the MTU (RFC 1191)."""
        quoted = bytes(self.data[14:42])
        message = b"\3\4%b\0\0" + struct.pack("!H", mtu) + quoted
        message = message.replace(b"%b", folded(message.replace(b"%b", b"\0\0")), 1)
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(message), 1, 0, 64, 1, 0) + bytes(self.data[30:34]) + bytes(self.data[26:30])
        return bytes(self.data[6:12] + self.data[0:6]) + b"\x08\0" + header[:10] + folded(header) + header[12:] + message


def middlebox(lab, change):
    """a and b with a box r between them. change(frame, to_b): the frames that leave, each (to_b, bytes); None: it passes as it is."""
    wire(lab)
    ready = Signal()
    box = lab.actor("r", "fld-box", run_box, change, ready)
    ready.wait()
    return box


def run_box(change, ready):
    sides = {}
    for name in ("to-a", "to-b"):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.bind((name, 3))
        sides[s] = name == "to-b"
    ready.set()
    while True:
        for s in select.select(list(sides), [], [])[0]:
            data, address = s.recvfrom(65536)
            if address[2] == PACKET_OUTGOING:
                continue
            frame, to_b = Frame(data), not sides[s]
            leaves = change(frame, to_b) if frame.is_tcp else None
            for towards_b, sent in [(to_b, data)] if leaves is None else leaves:
                next(side for side, is_b in sides.items() if is_b == towards_b).send(sent)
