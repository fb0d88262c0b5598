# SPDX-License-Identifier: Apache-2.0
"""The last ACK of a handshake and the first data arrive at the same moment, and two processors take one each: both make a child of the request.
So do two copies of the FIN, later.

Where: a server whose card has several queues, or loopback with a client that changes its processor (RPS, XPS).
Right: the child that comes too late is none of the process (inet_ehash_nolisten()); each connection is one, whole, and lacks no transition. Of the
two FINs, which both belong into the digest, the second one is an event of its own: no record is unaccounted for.
"""
import json
import multiprocessing

from field import *
import forge

COUNT, PORT, PEER = 200, 7142, "10.9.0.9"


def server():
    listener = listen(PORT, backlog=128)
    for _ in range(COUNT):
        c = accepted(listener)
        read_all(c)
        c.close()


def sender(processor, steps):
    """Sends each packet at the time that is given with it."""
    os.sched_setaffinity(0, [processor])
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        while (step := steps.recv()) is not None:
            at, packet = step
            while time.monotonic_ns() < at:
                pass
            raw.sendto(packet, (B, 0))
            steps.send(True)


def clients(processors):
    sniffer = forge.Sniffer("to-b")
    sniffer.socket.settimeout(0.002)
    pipes = []
    for processor in processors:
        mine, its = multiprocessing.Pipe()
        multiprocessing.Process(target=sender, args=(processor, its), daemon=True).start()
        pipes.append(mine)

    def at_once(*packets):
        at = time.monotonic_ns() + 500_000
        for pipe, packet in zip(pipes, packets):
            pipe.send((at, packet))
        for pipe in pipes:
            pipe.recv()

    for i in range(COUNT):
        here, there = (PEER, 20000 + i), (B, PORT)

        def answer(flags):
            until(lambda: sniffer.read() or sniffer.seen.get((there, here), (0, 0, 0))[2] & flags == flags, 5, f"an answer with flags {flags}")
            return sniffer.seen[there, here][0]

        forge.send(forge.segment(here, there, 999, 0, forge.SYN), B)
        ack = answer(forge.SYN | forge.ACK)
        both = [forge.segment(here, there, 1000, ack, forge.ACK), forge.segment(here, there, 1000, ack, forge.ACK | forge.PSH, b"hello")]
        at_once(*(both if i % 2 else both[::-1]))
        at_once(*[forge.segment(here, there, 1005, ack, forge.ACK | forge.FIN)] * 2)
        forge.send(forge.segment(here, there, 1006, answer(forge.FIN), forge.ACK), B)
    for pipe in pipes:
        pipe.send(None)


def play(lab):
    processors = sorted(os.sched_getaffinity(0))[:2]
    if len(processors) < 2:
        raise NotPlayed("one processor makes one child")
    lab.pair()
    mac = json.loads(lab.ip("a", "-j link show to-b"))[0]["address"]
    lab.ip("b", f"neigh replace {PEER} lladdr {mac} dev to-a")
    lab.server("b", "fld-srv", server, PORT)
    lab.watch("b")
    lab.actor("a", "fld-cli", clients, processors).result()


expect = {"b": view(life(PEER, "completed", local=f":{PORT}", process="fld-srv", closed_by="peer", tx=0, rx=5, count=COUNT,
                         incomplete=False, wire__complete=True, may={"retransmission": "certain", "out-of-window": "likely"}),  # before Linux 6.6
                    summary={"unaccounted": 0})}
