# SPDX-License-Identifier: Apache-2.0
"""An operator destroys (ss -K) a socket in CLOSE_WAIT that its process has leaked.

Reported: "ss -K state close-wait" as the remedy for haproxy 541 and Tomcat servers that cannot be restarted.
Right: somebody else destroyed it. Its process had not closed.
"""
from field import *


def server(done):
    c = accepted(listen(7691))
    read_all(c)
    done.wait()
    os._exit(0)


def client(done):
    c = connect(B, 7691)
    c.sendall(b"hello")
    c.shutdown(socket.SHUT_WR)
    failed = error_of(read_all, c)
    done.wait()
    return failed


def play(lab):
    lab.pair()
    done = Signal()
    lab.watch("a", "--stuck-after", 1)
    lab.watch("b", "--stuck-after", 1)
    lab.server("b", "fld-srv", server, 7691, done)
    asking = lab.actor("a", "fld-cli", client, done)
    until(lambda: lab.sockets("b", "state close-wait sport = :7691"), 10, "CLOSE_WAIT")
    time.sleep(2)
    lab.shell("b", "ss -K state close-wait sport = :7691")
    if lab.sockets("b", "state close-wait sport = :7691"):
        done.set()
        raise Skip("ss -K destroys nothing here")
    time.sleep(0.3)
    done.set()
    lab.must(asking.result() == errno.ECONNRESET, "the client was not reset")


expect = {
    "a": view(life(f"{B}:7691", "reset-by-peer", process="fld-cli", closed_by="local", tx=5, rx=0, may={"reset-origin": "certain", "peer-not-closing": "certain"})),
    "b": view(life(local=":7691", outcome="reset-by-local", process="fld-srv", tx=0, rx=5,
                   findings={"close-wait-stuck": "certain", "reset-origin": "certain"}, says=["(has|had) not closed", "destroyed"],
                   never=["closed only"])),
}
