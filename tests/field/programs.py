# SPDX-License-Identifier: Apache-2.0
"""Real programs in a situation's namespaces: servers that listen when the call returns, and clients."""
import glob
import os
import pwd
import shutil

from lab import NotPlayed, run, until
from needs import Skip

NGINX = """daemon off; pid {folder}/nginx.pid; error_log stderr notice; worker_processes 1; {main}
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4;
  scgi_temp_path {folder}/t5; default_type text/plain; {http} }}
"""


def nginx(lab, place, port, http, main="", folder="nginx"):
    """`http` is the inside of the http block; files named in it are below the lab's folder."""
    os.makedirs(f"{lab.folder}/{folder}", exist_ok=True)
    os.chmod(f"{lab.folder}/{folder}", 0o777)
    config = lab.file(f"{folder}.conf", NGINX.format(folder=f"{lab.folder}/{folder}", main=main, http=http))
    return lab.program(place, "nginx", "-p", lab.folder, "-c", config, "-e", "stderr", port=port)


def worker_of(program):
    """The process id of the only child of a program (nginx's worker)."""
    def child():
        with open(f"/proc/{program.pid}/task/{program.pid}/children") as children:
            return children.read().split()
    return int(until(child, 5, "a worker process")[0])


def node(lab, place, code, port=None):
    return lab.program(place, "node", "-e", code, port=port)


def curl(lab, place, *arguments, seconds=30):
    """(exit code, what it printed)"""
    return lab.output(lab.program(place, "curl", "-sS", "--noproxy", "*", *arguments), seconds)


def redis(lab, place, port, *arguments):
    return lab.program(place, "redis-server", "--port", port, "--bind", "*", "--protected-mode", "no", "--save", "", "--appendonly", "no",
                       "--dir", lab.folder, *arguments, port=port)


def haproxy(lab, place, port, config):
    path = lab.file("haproxy.cfg", config)
    return lab.program(place, "haproxy", "-db", "-f", path, port=port)


def postgres(lab, place, port):
    """A new cluster, trust authentication; the server runs as the user postgres (it refuses root)."""
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not binaries:
        raise Skip("there is no PostgreSQL server")
    folder, bin = f"{lab.folder}/pg", os.path.dirname(binaries[-1])
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        raise Skip("there is no user postgres") from None
    os.makedirs(folder)
    shutil.chown(folder, user.pw_uid, user.pw_gid)
    become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    run([*become, f"{bin}/initdb", "-D", folder, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale", "C"], cwd="/tmp")
    with open(f"{folder}/pg_hba.conf", "a") as rules:
        rules.write("host all all 0.0.0.0/0 trust\n")
    return lab.program(place, *become, f"{bin}/postgres", "-D", folder, "-p", port, "-c", "listen_addresses=*", "-k", folder, "-c", "fsync=off",
                       "-c", "shared_buffers=4MB", "-c", "max_connections=10", "-c", "autovacuum=off", port=port)


def psql(lab, place, address, port, *arguments):
    return lab.program(place, "psql", "-h", address, "-p", port, "-U", "postgres", "-X", "-At", *arguments, environment={"PGSSLMODE": "disable", "PGCONNECT_TIMEOUT": "10"})


def read_back(program, lab, seconds=30):
    code, text = lab.output(program, seconds)
    if code != 0:
        raise NotPlayed(f"{program.args[4]} ended with {code}: {text}")
    return text
