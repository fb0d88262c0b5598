# SPDX-License-Identifier: Apache-2.0
"""psql asks a query; one session ends itself, one is ended by pg_terminate_backend, one backend is killed (SIGKILL).

Reported: pgbouncer and Npgsql issues: "terminating connection due to administrator command", "server closed the connection unexpectedly".
Right: each connection is served by a child of the listening process; each ends with a FIN.
"""
from field import *

need("psql")


def play(lab):
    lab.pair()
    postgres(lab, "b", 5432)
    lab.watch("a")
    lab.watch("b")
    lab.must(read_back(psql(lab, "a", B, 5432, "-c", "select 6*7"), lab).strip() == "42", "no answer")
    sleeper = psql(lab, "a", B, 5432, "-c", "select pg_sleep(20)")
    until(lambda: lab.sockets("a", "state established dport = :5432"), 10, "the sleeper's connection")
    time.sleep(0.3)
    read_back(psql(lab, "a", B, 5432, "-c", "select count(pg_terminate_backend(pid)) from pg_stat_activity where query like 'select pg_sleep%'"), lab)
    lab.must(lab.output(sleeper)[0] != 0, "the sleeper was not ended")


# The last message and the FIN are in flight together: that is when Linux sends a tail-loss probe.
may = {"retransmission": "certain"}
expect = {
    "a": view(life(f"{B}:5432", "completed", process="psql", role="active", may=may, count=3)),
    "b": view(life(local=":5432", outcome="completed", process="postgres", role="passive", may=may, count=3)),
}
