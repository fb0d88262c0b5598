# SPDX-License-Identifier: Apache-2.0
"""curl is stopped (SIGSTOP) in the middle of a download, and goes on after 1.5 s.

Reported: full disks, slow consumers, debuggers; redis' output buffers.
Right: curl's window closed, because curl does not read; nginx' kernel probes it; nothing got lost. At last curl is
ended with data unread.
"""
from field import *

need("nginx", "curl")


def play(lab):
    lab.pair()
    lab.file("big", "x" * 30_000_000)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.watch("a")
    lab.watch("b")
    getting = lab.program("a", "curl", "-sS", "--limit-rate", "3M", "-o", "/dev/null", f"http://{B}:8080/big")
    until(lambda: lab.sockets("a", "state established dport = :8080"), 10, "a connection")
    time.sleep(0.3)
    os.kill(getting.pid, signal.SIGSTOP)
    until(lambda: any("persist" in line for line in lab.sockets("b", "state established sport = :8080", "-o")), 20, "a window that is closed")
    time.sleep(1.5)
    os.kill(getting.pid, signal.SIGCONT)
    time.sleep(0.3)
    getting.terminate()
    lab.output(getting)


# Linux sends tail-loss probes into the closing window: those are retransmissions indeed.
may = {"reset-origin": "certain", "retransmission": "certain"}
expect = {
    "a": view(life(f"{B}:8080", "aborted", process="curl", findings={"zero-window": "certain"}, may=may)),
    "b": view(life(local=":8080", outcome="reset-by-peer", process="nginx", findings={"zero-window": "certain"}, may=may)),
}
