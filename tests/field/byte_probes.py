# SPDX-License-Identifier: Apache-2.0
"""A sender in user space that probes a closed window as Windows and the BSDs do: with the next byte, which it sends again with the rest once the
window is open. Linux sends the last byte that was acknowledged, and never one that is new."""
import socket
import time

from forge import ACK, FIN, PSH, SYN, segment, send
from lab import NotPlayed

MSS = 1460
PROBE_EVERY = 0.6


class ByteProber:
    """Its address is nobody's: the kernel of its place has no socket to answer for, and sends no RST."""

    def __init__(self, interface, own, peer):
        self.own, self.peer = own, peer
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.wire.bind((interface, 0x0003))
        self.una = self.nxt = 1_000_000
        self.window = self.rcv_nxt = self.probes = 0
        self.peer_closed = False

    def put(self, flags, payload=b"", options=b""):
        send(segment(self.own, self.peer, self.nxt, self.rcv_nxt, flags, payload, window=60_000, options=options), self.peer[0])

    def get(self, seconds):
        """Takes one segment of the peer; False where none comes within that time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.wire.settimeout(left)
            try:
                frame, address = self.wire.recvfrom(65536)
            except socket.timeout:
                return False
            if address[2] == socket.PACKET_OUTGOING or frame[12:14] != b"\x08\x00" or frame[23] != 6:
                continue
            tcp = 14 + (frame[14] & 15) * 4
            ports = (int.from_bytes(frame[tcp:tcp + 2], "big"), int.from_bytes(frame[tcp + 2:tcp + 4], "big"))
            if (socket.inet_ntoa(frame[26:30]), ports) == (self.peer[0], (self.peer[1], self.own[1])):
                self.take(frame[tcp:14 + int.from_bytes(frame[16:18], "big")])
                return True
        return False

    def take(self, tcp):
        seq, ack, size = int.from_bytes(tcp[4:8], "big"), int.from_bytes(tcp[8:12], "big"), len(tcp) - (tcp[12] >> 4) * 4
        if tcp[13] & SYN:
            self.rcv_nxt = seq + 1 & 0xFFFFFFFF
        if size and seq == self.rcv_nxt:
            self.rcv_nxt = seq + size & 0xFFFFFFFF
        if tcp[13] & FIN and seq + size & 0xFFFFFFFF == self.rcv_nxt:
            self.rcv_nxt, self.peer_closed = self.rcv_nxt + 1 & 0xFFFFFFFF, True
        self.una, self.window = max(self.una, ack), int.from_bytes(tcp[14:16], "big")
        self.nxt = max(self.nxt, self.una)
        if size:
            self.put(ACK)

    def connect(self):
        self.put(SYN, options=bytes([2, 4, MSS >> 8, MSS & 255]))
        self.nxt += 1
        if not self.get(5) or self.una != self.nxt:
            raise NotPlayed("no SYN-ACK came")
        self.put(ACK)

    def send_all(self, size):
        end, probe_at = self.nxt + size, 0
        while self.una < end:
            while (room := min(MSS, self.una + self.window - self.nxt, end - self.nxt)) > 0:
                self.put(ACK | PSH, b"x" * room)
                self.nxt += room
            if self.window:
                probe_at = time.monotonic() + PROBE_EVERY
            if self.get(max(probe_at - time.monotonic(), 0.01)) or time.monotonic() < probe_at:
                continue
            if self.una != self.nxt or self.window:
                raise NotPlayed("what was sent went unanswered")
            self.put(ACK | PSH, b"x")
            self.probes += 1
            probe_at = time.monotonic() + PROBE_EVERY

    def close(self):
        self.put(ACK | FIN)
        self.nxt += 1
        while not self.peer_closed or self.una < self.nxt:
            if not self.get(5):
                raise NotPlayed("the peer did not close")
        self.put(ACK)
