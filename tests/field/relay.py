# SPDX-License-Identifier: Apache-2.0
"""A wire in user space between two hosts: what passes can be held back, or delivered again."""
import select
import socket
import time

PACKET_OUTGOING = 4


def wire(lab):
    """a (10.9.0.1, fd09::1) and b (10.9.0.2, fd09::2) in one network, with the relay's place r between them."""
    lab.netns("a", "r", "b")
    lab.link("a", ["10.9.0.1/24", "fd09::1/64"], "r", [])
    lab.link("b", ["10.9.0.2/24", "fd09::2/64"], "r", [])
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
        for interface in interfaces:
            lab.shell(place, f"ethtool -K {interface} tx off")  # whole checksums


class Relay:
    """run() never returns. towards_a(frame) returns when (time.monotonic(); 0: at once) a frame that b sent is delivered: a list."""

    def __init__(self, towards_a):
        self.towards_a, self.waiting = towards_a, []

    def open(self, interface):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        s.bind((interface, 0x0003))
        return s

    def run(self, ready):
        a, b = self.open("to-a"), self.open("to-b")
        ready.set()
        while True:
            pause = min([at for at, _ in self.waiting], default=time.monotonic() + 1) - time.monotonic()
            readable = select.select([a, b], [], [], max(pause, 0))[0]
            for s in readable:
                frame, address = s.recvfrom(65536)
                if address[2] == PACKET_OUTGOING:
                    continue
                if s is a:
                    b.send(frame)
                    continue
                for at in self.towards_a(frame):
                    if at <= time.monotonic():
                        a.send(frame)
                    else:
                        self.waiting.append((at, frame))
            now = time.monotonic()
            due = [entry for entry in self.waiting if entry[0] <= now]
            self.waiting = [entry for entry in self.waiting if entry[0] > now]
            for _, frame in sorted(due, key=lambda entry: entry[0]):  # as they came, where they are due together
                a.send(frame)


def tcp_payload(frame):
    """Bytes of TCP payload; 0 where it is no TCP over IPv4 or IPv6."""
    if frame[12:14] == b"\x08\x00" and frame[23] == 6:
        ip = (frame[14] & 15) * 4
        return int.from_bytes(frame[16:18], "big") - ip - (frame[14 + ip + 12] >> 4) * 4
    if frame[12:14] == b"\x86\xdd" and frame[20] == 6:
        return int.from_bytes(frame[18:20], "big") - (frame[54 + 12] >> 4) * 4
    return 0
