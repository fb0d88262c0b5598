# SPDX-License-Identifier: Apache-2.0
"""SYN cookies meet a full accept queue: the handshake's last ACK is dropped, whatever tcp_abort_on_overflow says.

Reported: "possible SYN flooding" beside a listener that does not accept; tcp_abort_on_overflow that seems to do nothing.
Right: of three connections the last ACK reached TCP and found the queue full, each time that it came (nstat's ListenOverflows), and not when
the listener had closed. The one that was taken ended with its listener.
"""
from field import *
from middlebox import middlebox

CLIENTS = 4
COUNTED = {}


def hold(frame, to_b):
    time.sleep(0.004)  # so that all SYNs come before the first ACK


def server(full):
    s = listen(7150, backlog=0)
    full.wait()
    s.close()
    time.sleep(0.5)


def client(sent, gone):
    sockets = [socket.socket() for _ in range(CLIENTS)]
    for s in sockets:
        s.setblocking(False)
        error_of(s.connect, (B, 7150))
    time.sleep(0.4)
    for s in sockets:
        error_of(s.send, b"hi")
    time.sleep(0.3)
    sent.set()
    gone.wait()


def play(lab):
    box = middlebox(lab, hold)
    lab.sysctl("b", "net.ipv4.tcp_abort_on_overflow", 1)
    sent, full, gone = Signal(), Signal(), Signal()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7150, full)
    asking = lab.actor("a", "fld-cli", client, sent, gone)
    sent.wait()
    COUNTED["overflows"] = lab.nstat("b", "TcpExtListenOverflows")
    full.set()
    time.sleep(1)
    gone.set()
    asking.result()
    each, rest = divmod(COUNTED["overflows"], CLIENTS - 1)
    lab.must(each > 1 and not rest, f"the clients differ: {COUNTED}")
    expect["b"].lives[1].says = (fr"last ACK was dropped for it {each} times", "found the accept queue full, and was dropped")
    box.kill()


expect = {
    "b": view(life(local=":7150", outcome="reset-by-local", process="fld-srv", findings={"reset-origin": "certain"}, may={"slow-accept": "certain"}),
              life(local=":7150", outcome="unknown", count=CLIENTS - 1, findings={"accept-queue-full": "certain"},
                   may={"syncookie": "certain", "reset-origin": "certain", "retransmission": "likely"}, never=["no ACK of its SYN-ACK reached TCP"])),
}
