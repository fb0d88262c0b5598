# SPDX-License-Identifier: Apache-2.0
"""Segments that no TCP made: read the numbers of a connection off the wire, send a segment of one's own."""
import socket
import struct

ETH_P_IP = 0x0800
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source, target, protocol, payload, ttl=64):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000, ttl, protocol, 0, socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def segment(source, target, seq, ack, flags, payload=b"", window=512, ttl=64, options=b""):
    """source and target: (address, port)."""
    head = struct.pack("!HHIIBBHHH", source[1], target[1], seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (20 + len(options)) // 4 << 4, flags, window, 0, 0)
    pseudo = socket.inet_aton(source[0]) + socket.inet_aton(target[0]) + struct.pack("!BBH", 0, 6, len(head) + len(options) + len(payload))
    sum_ = checksum(pseudo + head + options + payload)
    return ip_packet(source[0], target[0], 6, head[:16] + struct.pack("!H", sum_) + head[18:] + options + payload, ttl)


def send(packet, target, protocol=socket.IPPROTO_RAW):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol) as raw:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        raw.sendto(packet, (target, 0))


class Sniffer:
    """Made before the connection; last() gives the numbers that the next segment of a direction would have."""

    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.socket.bind((interface, 0x0003))
        self.socket.settimeout(0.05)
        self.seen = {}

    def read(self):
        try:
            while True:
                self.take(self.socket.recv(65536))
        except socket.timeout:
            pass

    def take(self, frame):
        if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return
        start = 14 + (frame[14] & 15) * 4
        sport, dport, seq, ack, offset, flags, window = struct.unpack("!HHIIBBH", frame[start:start + 16])
        size = 14 + struct.unpack("!H", frame[16:18])[0] - start - (offset >> 4) * 4
        source, target = (socket.inet_ntoa(frame[26:30]), sport), (socket.inet_ntoa(frame[30:34]), dport)
        self.seen[source, target] = (seq + size + bool(flags & SYN) + bool(flags & FIN), ack, flags)

    def last(self, target_port):
        """((source, target, next sequence number, last acknowledgement) of the direction towards this port."""
        self.read()
        for (source, target), (seq, ack, _) in self.seen.items():
            if target[1] == target_port:
                return source, target, seq, ack
        raise LookupError(f"nothing was seen towards port {target_port}")
