# SPDX-License-Identifier: Apache-2.0
"""One PostgreSQL backend is killed (the OOM killer's SIGKILL): the postmaster ends all others, and each client's connection ends.

Reported: "terminating connection because of crash of another server process"; "server closed the connection unexpectedly".
Right: the killed one by its signal; the others were closed by their own backends. No client and no network did anything.
"""
from field import *

need("psql")


def play(lab):
    lab.pair()
    postgres(lab, "b", 5432)
    lab.watch("b")
    sessions = [psql(lab, "a", B, 5432, "-c", "select pg_backend_pid()", "-c", "select pg_sleep(20)") for _ in range(2)]
    until(lambda: len(lab.sockets("b", "state established sport = :5432")) == 2, 10, "two sessions")
    time.sleep(1.0)
    victim = int(lab.printed(sessions[0]).split()[0])
    os.kill(victim, signal.SIGKILL)
    for session in sessions:
        lab.output(session)


may = {"time-wait": "certain", "reset-origin": "certain", "retransmission": "certain"}
expect = {"b": view(life(local=":5432", outcome=("completed", "aborted"), process="postgres", closed_by="local", may=may, count=2), others=["completed"])}
