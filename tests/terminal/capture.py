# SPDX-License-Identifier: Apache-2.0
"""A small capture whose numbers are known: made packet by packet, the same each time."""
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, destination, seq, ack, flags, payload, window=64240):
    a, b = (ipaddress.ip_address(end[0]) for end in (source, destination))
    header = struct.pack("!HHIIBBHHH", source[1], destination[1], seq, ack if flags & ACK else 0, 0x50, flags, window, 0, 0)
    if a.version == 4:
        pseudo = a.packed + b.packed + struct.pack("!BBH", 0, 6, 20 + len(payload))
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(payload), 1, 0x4000, 64, 6, 0) + a.packed + b.packed
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    else:
        pseudo = a.packed + b.packed + struct.pack("!IHBB", 20 + len(payload), 0, 0, 6)
        ip = struct.pack("!IHBB", 0x60000000, 20 + len(payload), 6, 64) + a.packed + b.packed
    sum_of_all = checksum(pseudo + header + payload)
    return ip + header[:16] + struct.pack("!H", sum_of_all) + header[18:] + payload


class Capture:
    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        self.at_us = 1_700_000_000_000_000

    def put(self, data, after_us=1000):
        self.at_us += after_us
        self.file.write(struct.pack("<IIII", self.at_us // 1_000_000, self.at_us % 1_000_000, len(data), len(data)) + data)

    def close(self):
        self.file.close()


class Talk:
    def __init__(self, capture, client, server):
        self.capture = capture
        self.ends = {"c": [client, 1000], "s": [server, 5000]}

    def send(self, side, flags, payload=b"", again=False, after_us=1000):
        other = "s" if side == "c" else "c"
        (source, seq), (destination, ack) = self.ends[side], self.ends[other]
        taken = len(payload) + (1 if flags & (SYN | FIN) else 0)
        self.capture.put(packet(source, destination, seq - taken if again else seq, ack, flags, payload), after_us)
        if not again:
            self.ends[side][1] += taken

    def connect(self):
        self.send("c", SYN)
        self.send("s", SYN | ACK)
        self.send("c", ACK)

    def exchange(self, request, answer):
        self.send("c", PSH | ACK, b"q" * request)
        self.send("s", PSH | ACK, b"a" * answer)
        self.send("c", ACK)

    def close(self):
        self.send("c", FIN | ACK)
        self.send("s", FIN | ACK)
        self.send("c", ACK)


def write(path):
    """Three to one server, one refused, one reset behind a retransmission (IPv6), one that goes on. Within 100 ms."""
    capture = Capture(path)
    goes_on = Talk(capture, ("10.0.0.1", 50000), ("10.0.0.8", 5432))
    goes_on.connect()
    for i in range(3):
        talk = Talk(capture, ("10.0.0.1", 40000 + i), ("192.0.2.7", 443))
        talk.connect()
        talk.exchange(500, 1400)
        talk.close()
    refused = Talk(capture, ("10.0.0.1", 41000), ("198.51.100.9", 8080))
    refused.send("c", SYN)
    refused.send("s", RST | ACK)
    reset = Talk(capture, ("2001:db8::1", 42000), ("2001:db8::25", 25))
    reset.connect()
    reset.send("c", PSH | ACK, b"x" * 100)
    reset.send("c", PSH | ACK, b"x" * 100, again=True, after_us=20_000)
    reset.send("s", RST | ACK)
    goes_on.exchange(30, 1000)
    capture.close()


def write_steady(path, seconds=60):
    """Ten times a second 1,000 bytes on a connection that goes on; each second another one begins and is closed."""
    capture = Capture(path)
    goes_on = Talk(capture, ("10.0.0.1", 50000), ("10.0.0.8", 5432))
    goes_on.connect()
    for second in range(seconds):
        for tenth in range(10):
            goes_on.send("c", PSH | ACK, b"x" * 1000, after_us=98_000)
            goes_on.send("s", ACK, after_us=1000)
            if tenth == 0:
                talk = Talk(capture, ("10.0.0.1", 40000 + second), ("192.0.2.7", 443))
                talk.connect()
                talk.close()
    capture.close()


def write_with_silence(path):
    """Three that are closed: the second follows after 5 s, the third after four years."""
    capture = Capture(path)
    for number, after in enumerate((0, 5, 4 * 366 * 86400)):
        capture.at_us += after * 1_000_000
        talk = Talk(capture, ("10.0.0.1", 40000 + number), ("192.0.2.7", 443))
        talk.connect()
        talk.close()
    capture.close()
