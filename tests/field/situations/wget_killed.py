# SPDX-License-Identifier: Apache-2.0
"""wget is stopped, and killed (SIGKILL) with a part of the download unread in its socket.

Reported: OOM kills of downloaders; "connection reset by peer" at the server though nobody called a RST.
Right: the process died with unread data, so its kernel sent a RST; the server is reset by the peer.
"""
from field import *

need("wget")


def play(lab):
    lab.pair()
    served = lab.server("b", "fld-srv", slow_download, 7608, 7608)
    lab.watch("a")
    lab.watch("b")
    getting = lab.program("a", "wget", "-q", "--no-proxy", "-O", "/dev/null", f"http://{B}:7608/")
    until(lambda: lab.sockets("a", "state established dport = :7608"), 10, "a connection")
    time.sleep(0.4)
    getting.send_signal(signal.SIGSTOP)
    time.sleep(0.4)
    getting.kill()
    getting.wait()
    lab.must(served.result() in (errno.EPIPE, errno.ECONNRESET), "the server did not notice")


expect = {
    "a": view(life(f"{B}:7608", ("aborted", "reset-by-local"), process="wget", closed_by="local", may={"reset-origin": "certain"}, says=["SIGKILL|signal 9", "unread"])),
    "b": view(life(local=":7608", outcome="reset-by-peer", process="fld-srv", closed_by="peer", errno=errno.ECONNRESET, may={"reset-origin": "certain"})),
}
