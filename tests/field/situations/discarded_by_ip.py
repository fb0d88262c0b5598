# SPDX-License-Identifier: Apache-2.0
"""Segments with window 0 and exact numbers that IP discards before TCP reads them: a VLAN tag no device has, a source route, an unknown
option that asks for it, routing header type 0, AH without an association, a piece whose rest never comes. One with a harmless option, or none, is taken.

Reported: RFC 5095 (type 0 routing), RFC 7126 (filtering of IPv4 options), RFC 7872, probes with odd headers.
Right: a window closed only where the kernel takes the segment; it then probes it.
"""
import struct

from field import *
import forge

DISCARDED_4 = {7301: "vlan", 7302: "lsrr", 7303: "ssrr", 7304: "piece"}
DISCARDED_6 = {7311: "vlan", 7312: "routing", 7313: "ah", 7314: "unknown", 7315: "piece"}
TAKEN_4 = {7321: "nop", 7322: "plain"}
TAKEN_6 = {7331: "padding"}
ALL_4, ALL_6 = DISCARDED_4 | TAKEN_4, DISCARDED_6 | TAKEN_6


def server(listener, go):
    c = accepted(listener)
    c.sendall(read_all(c, 5))
    go.wait()
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client(address, port, ready, go):
    c = connect(address, port)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    c.sendall(b"again")
    read_all(c, 5)
    c.close()


def option_header(kind):
    if kind == "routing":
        return 43, bytes([6, 2, 0, 1]) + bytes(4) + socket.inet_pton(socket.AF_INET6, "fd09::9")
    if kind == "ah":
        return 51, bytes([6, 4]) + bytes(2) + struct.pack("!II", 0x1234, 1) + bytes(12)
    if kind == "piece":
        return 44, bytes([6, 0]) + struct.pack("!HI", 1, 0x77777777)
    return 60, bytes([6, 0]) + (bytes([0x40 | 0x1E, 4]) + bytes(4) if kind == "unknown" else bytes([1, 4]) + bytes(4))


def odd(frame, kind):
    """The frame's direction, its next number, no payload, window 0."""
    ipv4 = frame[12:14] == b"\x08\x00"
    ip, tcp = (frame[14:34], frame[14 + (frame[14] & 15) * 4:]) if ipv4 else (frame[14:54], frame[54:])
    size = struct.unpack("!H", ip[2:4])[0] - (ip[0] & 15) * 4 if ipv4 else struct.unpack("!H", ip[4:6])[0]
    head = (tcp[12] >> 4) * 4
    seq = struct.unpack("!I", tcp[4:8])[0] + size - head
    tcp = tcp[:4] + struct.pack("!I", seq) + tcp[8:13] + bytes([forge.ACK]) + bytes(4) + tcp[18:head]
    addresses = ip[12:20] if ipv4 else ip[8:40]
    pseudo = addresses + (struct.pack("!BBH", 0, 6, len(tcp)) if ipv4 else struct.pack("!II", len(tcp), 6))
    tcp = tcp[:16] + struct.pack("!H", forge.checksum(pseudo + tcp)) + tcp[18:]
    link = frame[:12] + (struct.pack("!HH", 0x8100, 99) if kind == "vlan" else b"") + frame[12:14]
    if not ipv4:
        following, chain = (6, b"") if kind == "vlan" else option_header(kind)
        return link + ip[:4] + struct.pack("!HBB", len(chain) + len(tcp), following, 64) + ip[8:] + chain + tcp
    route = bytes([7, 4]) + socket.inet_aton("10.9.0.9") + b"\0"
    options = {"lsrr": b"\x83" + route, "ssrr": b"\x89" + route, "nop": b"\1\1\1\0"}.get(kind, b"")
    start = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(tcp), 0x7777, 0x2000 if kind == "piece" else 0x4000, 64, 6, 0)
    total = forge.checksum(start + addresses + options)
    return link + start[:10] + struct.pack("!H", total) + addresses + options + tcp


def outsider(up, readies, go):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    raw.bind(("to-a", 0x0003))
    raw.settimeout(0.3)
    up.set()
    for ready in readies:
        ready.wait()
    newest = {}
    try:
        while True:
            frame, address = raw.recvfrom(65536)
            start = 34 if frame[12:14] == b"\x08\x00" and frame[23] == 6 else 54
            if address[2] == socket.PACKET_OUTGOING and len(frame) >= start + 20:
                newest[struct.unpack("!H", frame[start:start + 2])[0]] = frame
    except socket.timeout:
        pass
    for port, kind in (ALL_4 | ALL_6).items():
        raw.send(odd(newest[port], kind))
    time.sleep(0.3)
    for _ in range(2 * len(readies)):
        go.set()


def play(lab):
    lab.pair()
    for place, interface in (("a", "to-b"), ("b", "to-a")):
        lab.no_offload(place, interface)
    up, go = Signal(), Signal()
    readies = [Signal() for _ in ALL_4 | ALL_6]
    lab.actor("b", "fld-evil", outsider, up, readies, go)
    up.wait()
    lab.watch("a")
    clients = []
    for ready, port in zip(readies, ALL_4 | ALL_6):
        ipv4 = port in ALL_4
        lab.server("b", "fld-srv", lambda p, f, s: server(listen(p, "" if f else "::", **({} if f else {"family": socket.AF_INET6})), s), port, port, ipv4, go)
        clients.append(lab.actor("a", "fld-cli", client, B if ipv4 else B6, port, ready, go))
    for one in clients:
        one.result()


def life_of(port):
    place = f"{B}:{port}" if port in ALL_4 else f"[{B6}]:{port}"
    return life(place, "completed", process="fld-cli", closed_by="local", tx=10, rx=10, retransmits=0,
                findings={"zero-window": "certain"} if port in TAKEN_4 | TAKEN_6 else {})


expect = {"a": view(*(life_of(port) for port in ALL_4 | ALL_6))}
