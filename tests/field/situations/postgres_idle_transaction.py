# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL ends a session that is idle in a transaction (idle_in_transaction_session_timeout); its client notices when it asks next.

Reported: HikariCP, SQLAlchemy: "terminating connection due to idle-in-transaction timeout", "server closed the connection unexpectedly".
Right: the server's process closed first, with nothing unread. No network ended it.
"""
from field import *

need("psql")


def play(lab):
    lab.pair()
    postgres(lab, "b", 5433)
    lab.watch("a")
    lab.watch("b")
    asking = lab.program("a", "sh", "-c", f"(echo \"set idle_in_transaction_session_timeout = '500ms'; begin; select 1;\"; sleep 1.5; echo 'select 2;') | "
                         f"PGSSLMODE=disable psql -h {B} -p 5433 -U postgres -X -At")
    code, text = lab.output(asking)
    lab.must(code == 2 and "idle-in-transaction" in text, f"psql ended with {code}: {text}")


may = {"reset-origin": "certain", "write-after-peer-closed": "certain"}
expect = {
    "a": view(life(f"{B}:5433", ("completed", "reset-by-peer"), process="psql", closed_by="peer", may=may)),
    "b": view(life(local=":5433", outcome=("completed", "reset-by-local"), process="postgres", closed_by="local", may={"data-after-close": "certain", **may}, never=["unread", "crash"])),
}
