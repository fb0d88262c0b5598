# SPDX-License-Identifier: Apache-2.0
"""The jobs of whoever debugs TCP: real programs, the command that one would give, and what it must say on the screen.

Each plays a job and returns what was on each screen, with the regular expressions that must be found there: rows and sentences,
as users read them. run.py plays them beside the situations, as job_NAME.
"""
import pty
import re
import select
import signal
import subprocess
import threading

from field import *
from judge import Score
from lab import end

JOBS = {}
READY_SECONDS = 40


def job(play):
    JOBS[f"job_{play.__name__}"] = play
    return play


class Screen:
    """tcpwitness in one namespace, its output as text."""

    def __init__(self, tracer, lab, place, arguments):
        self.title = " ".join(["tcpwitness", *map(str, arguments)]) + f" at {place}"
        file = f"{lab.folder}/screen{len(lab.watches)}"
        self.printed, self.errors = open(f"{file}.out", "w+"), open(f"{file}.err", "w+")
        self.process = subprocess.Popen(["ip", "netns", "exec", lab.full(place), tracer, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=self.printed, stderr=self.errors)
        until(lambda: "tracing with version" in self._read(self.errors), READY_SECONDS, f"{self.title} to be ready")

    @staticmethod
    def _read(file):
        with open(file.name) as again:
            return again.read()

    def printed_so_far(self):
        return self._read(self.printed)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        if self.process.wait(30) != 0:
            raise NotPlayed(f"{self.title} ended with {self.process.returncode}: {self._read(self.errors)}")
        return self._read(self.printed)

    def kill(self):
        end(self.process)


def play(name, lab, tracer):
    def screen(place, *arguments):
        lab.watches.append(Screen(tracer, lab, place, arguments))
        return lab.watches[-1]

    screen.tracer = tracer
    score = Score()
    for shown, patterns in JOBS[name](lab, screen):
        text = shown.stop() if isinstance(shown, Screen) else shown
        for pattern in patterns:
            said = re.search(pattern, text)
            score.fact(said, f"it must say {pattern!r}:\n{text}")
    return score


def title(name):
    return JOBS[name].__doc__


# The jobs


@job
def accept_queue_full(lab, screen):
    """nginx has a backlog of 1 and its worker is stopped; more clients come than fit."""
    need("nginx", "curl")
    lab.pair()
    server = nginx(lab, "b", 8080, "server { listen 8080 backlog=1; return 200 ok; }")
    table, problems = screen("b"), screen("b", "--problems")
    worker = worker_of(server)
    os.kill(worker, signal.SIGSTOP)
    clients = [lab.program("a", "curl", "-sS", "--max-time", "9", f"http://{B}:8080/") for _ in range(4)]
    time.sleep(3)
    os.kill(worker, signal.SIGCONT)
    for one in clients:
        lab.output(one)
    return [(table, [r"nginx .*8080.* <- .*accept-queue-full"]),
            (problems, [r"accept-queue-full \(certain\): .*nginx.*accept queue"])]


@job
def nginx_upstream_reset(lab, screen):
    """nginx asks Node, which resets the connection instead of an answer: a 502."""
    need("nginx", "node", "curl")
    lab.pair()
    node(lab, "b", "require('net').createServer(s => s.once('data', () => s.resetAndDestroy())).listen(8081)", 8081)
    nginx(lab, "b", 8080, "server { listen 8080; location / { proxy_pass http://127.0.0.1:8081; } }")
    table, problems = screen("b"), screen("b", "--problems")
    code, text = curl(lab, "a", "-o", "/dev/null", "-w", "%{http_code}", f"http://{B}:8080/")
    lab.must(code == 0 and text == "502", f"no 502: {text}")
    time.sleep(0.3)
    return [(table, [r"nginx .*-> 127.0.0.1:8081 .* reset-by-peer +reset-origin", r"node .*127.0.0.1:8081 .* reset-by-local +reset-origin"]),
            (problems, [r"reset-origin \(certain\): .*node.*(reset|SO_LINGER|RST)"])]


@job
def close_wait_leak(lab, screen):
    """A server reads what its clients send, and never closes."""
    lab.pair()
    done = Signal()

    def server():
        listener = listen(7100)
        kept = [accepted(listener) for _ in range(3)]
        for one in kept:
            read_all(one)
        done.wait()

    lab.server("b", "fld-leak", server, 7100)
    table, problems = screen("b", "--stuck-after", 2), screen("b", "--problems", "--stuck-after", 2)

    def client():
        for _ in range(3):
            s = connect(B, 7100)
            s.sendall(b"bye")
            s.close()

    lab.actor("a", "fld-cli", client).result()
    time.sleep(3.5)
    texts = [table.stop(), problems.stop()]
    done.set()
    return [(texts[0], [r"fld-leak .*7100.* open +close-wait-stuck"]),
            (texts[1], [r"close-wait-stuck \(certain\): .*fld-leak\[\d+\].*(fd|descriptor)"])]


@job
def loss_each_way(lab, screen):
    """2 % of the data is lost on the way, in both directions."""
    need("nginx", "node", "curl", "nft", "ethtool")
    lab.routed()
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    lab.file("big", "x" * 3_000_000)
    node(lab, "b", "require('http').createServer((q, s) => { q.resume(); q.on('end', () => s.end('y'.repeat(3e6))); }).listen(8080)", 8080)
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; meta l4proto tcp meta length > 1000 numgen random mod 100 < 2 drop; }\n}")
    table, problems, beside = screen("a"), screen("a", "--problems"), screen("b", "summary")
    lab.must(curl(lab, "a", "-o", "/dev/null", "-H", "Expect:", "--data-binary", f"@{lab.folder}/big", f"http://{B}:8080/")[0] == 0, "curl failed")
    time.sleep(0.3)
    number = r"[1-9]\d*"
    return [(table, [rf"curl .* {number}/{number} .*[ ,]retransmission"]),
            (problems, [rf"retransmission \(certain\): the kernel retransmitted {number} of {number} segments", rf"retransmission \((certain|likely)\): the peer sent {number} of {number} segments .* again"]),
            (beside, [rf"node .* (0\.\d|[1-9]\d*\.?\d*)/(0\.\d|[1-9]\d*\.?\d*) "])]


@job
def who_uses_the_database(lab, screen):
    """psql asks PostgreSQL, twice for a moment and once for two seconds."""
    need("psql")
    lab.pair()
    postgres(lab, "b", 5432)
    shown = screen("b", "summary", "--by", "comm,remote", "--port", 5432)
    for query in ("select 1", "select 2", "select pg_sleep(2)"):
        read_back(psql(lab, "a", B, 5432, "-c", query), lab)
    time.sleep(0.3)
    return [(shown, [r"COMM +REMOTE +CONNS .* LIFETIME", rf"postgres +{A} +3 .*/2\.\ds"])]


@job
def idle_death_without_keepalive(lab, screen):
    """A NAT box forgets an idle connection and drops what comes then; nobody had asked for keep-alives."""
    need("nft")
    lab.routed()
    idle, dead = Signal(), Signal()

    def server():
        c = accepted(listen(7101))
        c.sendall(read_all(c, 5))
        dead.wait()
        time.sleep(7)

    def client():
        c = connect(B, 7101)
        c.sendall(b"query")
        read_all(c, 5)
        idle.set()
        dead.wait()
        time.sleep(1)
        c.sendall(b"query")
        c.settimeout(6)
        error_of(c.recv, 5)

    table, problems = screen("a"), screen("a", "--problems")
    lab.server("b", "fld-db", server, 7101)
    asking = lab.actor("a", "fld-app", client)
    idle.wait()
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7101 drop; tcp sport 7101 drop; }\n}")
    dead.set()
    asking.result()
    time.sleep(0.2)
    return [(table, [r"fld-app .*7101.* path-dead"]),
            (problems, [r"path-dead \(likely\): .*(idle|silent|pause)"])]


@job
def port_exhaustion(lab, screen):
    """A client connects to one server more often than it has local ports."""
    lab.pair()
    lab.sysctl("a", "net.ipv4.ip_local_port_range", "40000 40003")
    lab.program("b", "python3", "-m", "http.server", "8081", port=8081)
    table, problems = screen("a"), screen("a", "--problems")

    def client():
        kept = [connect(B, 8081) for _ in range(4)]
        failed = error_of(connect, B, 8081)
        for one in kept:
            one.close()
        return failed

    lab.must(lab.actor("a", "fld-batch", client).result() == errno.EADDRNOTAVAIL, "there was a port left")
    time.sleep(0.5)
    return [(table, [r"fld-batch .*8081.* no-local-port +port-exhaustion"]),
            (problems, [r"port-exhaustion \(certain\): connect\(\) found no free local port to 10\.9\.0\.2:8081: 4 ports in 40000-40003"])]


@job
def reject_beside_closed_port(lab, screen):
    """Port 81 is closed, port 82 is rejected with a RST by a firewall: alike for the client, not for the server's kernel."""
    need("nft", "curl")
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 82 reject with tcp reset; }\n}")
    at_client, at_server = screen("a"), screen("b", "--problems")
    for port in (81, 82):
        lab.must(curl(lab, "a", f"http://{B}:{port}/")[0] == 7, "not refused")
    time.sleep(3.5)
    return [(at_client, [r"curl .*:81 .* refused +reset-origin", r"curl .*:82 .* refused +reset-origin"]),
            (at_server, [r"stray-segment \(certain\): a SYN from [\d.:]+ to 10\.9\.0\.2:81 fits no connection here: it was answered by RST",
                         r"rx-dropped \(certain\): a SYN from [\d.:]+ to 10\.9\.0\.2:82 arrived and never reached TCP: dropped by netfilter.*answered by a RST"])]


@job
def slow_server(lab, screen):
    """Node answers one request of four after 1.5 s; the network takes no time."""
    need("node", "curl")
    lab.pair()
    node(lab, "b", "require('http').createServer((q, s) => setTimeout(() => s.end('ok'), q.url == '/slow' ? 1500 : 0)).listen(8080)", 8080)
    slow, stories = screen("a", "--slower-than", "200ms"), screen("a", "explain")
    for path in ("/", "/", "/slow", "/"):
        lab.must(curl(lab, "a", f"http://{B}:8080{path}")[0] == 0, "no answer")
    time.sleep(0.3)
    return [(slow, [r"^.*REMOTE.*\n.*curl .*8080.*completed *\n$"]),
            (stories, [r"The server took +1\.5\d s\s+to\s+its\s+first\s+byte;\s+the\s+network\s+[\d.]+\s+(us|ms)"])]


@job
def path_mtu_black_hole(lab, screen):
    """A link of MTU 1200 behind a router whose ICMP messages are dropped: small requests pass, large ones hang."""
    need("node", "curl", "nft", "ethtool")
    lab.routed()
    lab.ip("r", "link set to-b mtu 1200")
    lab.no_offload("a", "to-r")
    lab.no_offload("b", "to-r")
    lab.no_offload("r", "to-a", "to-b")
    lab.nft("r", "table ip f { chain o { type filter hook output priority 0; ip protocol icmp drop; }\n}")
    node(lab, "b", "require('http').createServer((q, s) => { q.resume(); q.on('end', () => s.end('ok')); }).listen(8080)", 8080)
    lab.file("big", "x" * 20_000)
    table, problems = screen("a"), screen("a", "--problems")
    lab.must(curl(lab, "a", f"http://{B}:8080/")[0] == 0, "a small request did not pass")
    lab.must(curl(lab, "a", "--max-time", "6", "-H", "Expect:", "--data-binary", f"@{lab.folder}/big", f"http://{B}:8080/")[0] == 28, "a large one passed")
    time.sleep(0.3)
    return [(table, [r"curl .*8080.*completed *\n", r"curl .*8080.* path-mtu-black-hole"]),
            (problems, [r"path-mtu-black-hole \(likely\): .*(1448|1460|1500|full-size|larger)"])]


@job
def tee_ended_by_ctrl_c(lab, screen):
    """tcpwitness --summary | tee FILE on a terminal: Ctrl-C ends tee too, and what is left to say is on the terminal."""
    need("curl")
    lab.pair()
    lab.program("b", "python3", "-m", "http.server", "8081", port=8081)
    pid, terminal = pty.fork()
    if pid == 0:
        command = f"ip netns exec {lab.full('a')} {screen.tracer} --summary | tee {lab.folder}/tee; :"
        os.execvp("sh", ["sh", "-c", command])
    text = ""
    try:
        def reads(pattern):
            nonlocal text
            while select.select([terminal], [], [], 0.05)[0]:
                try:
                    text += os.read(terminal, 65536).decode(errors="replace")
                except OSError:  # nobody has it open any more
                    break
            return re.search(pattern, text)

        until(lambda: reads("tracing with version"), READY_SECONDS, "the tracer on its terminal")
        lab.must(curl(lab, "a", "-o", "/dev/null", f"http://{B}:8081/")[0] == 0, "no answer")
        until(lambda: reads("curl .*completed"), 10, "its row")
        os.write(terminal, b"\x03")
        until(lambda: reads("nothing lost"), 10, "its end")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)
    return [(text, [r"1 connection in .* a second", r"how they ended\s+completed +1"])]


@job
def compare_what_goes_on(lab, screen):
    """Two connections go on, one of them older than the run: kernel and wire are compared again and again."""
    lab.pair()

    def server():
        listener = listen(7102)
        while True:
            threading.Thread(target=answer, args=(accepted(listener),), daemon=True).start()

    def answer(one):
        while data := one.recv(4096):
            one.sendall(data)

    def talk():
        one = connect(B, 7102)
        for _ in range(2000):
            one.sendall(b"x" * 1000)
            read_all(one, 1000)
            time.sleep(0.02)

    lab.server("b", "fld-srv", server, 7102)
    lab.actor("a", "fld-old", talk)
    until(lambda: lab.sockets("a", "state established dport = :7102"), 10, "the older one")
    shown = screen("a", "compare", "--every", "0.5")
    lab.actor("a", "fld-new", talk)
    both = r"-- [\d:]+, 2 connections compared in [\d.]+ m?s, 2 still open, 1 open\s+before\s+start:\s+kernel\s+and\s+wire\s+agree"
    until(lambda: re.search(both, shown.printed_so_far()), 20, "both of them compared")
    in_flight = r"[\d,]+ +\+\d,000\n +\+\d,000 sent and not acknowledged"
    return [(shown, [both, r"\n2 connections compared in .* 2 still open, 1 open\s+before\s+start:\s+kernel\s+and\s+wire\s+agree",
                     rf"sent +payload bytes +([\d,]{{5,}}) +(\1\n|{in_flight})"])]


@job
def whose_container(lab, screen):
    """Connections added up by the cgroup of their process, one of which is gone by then."""
    lab.pair()

    def server():
        listener = listen(7103)
        for _ in range(3):
            accepted(listener).close()
        time.sleep(0.3)

    def client():
        for _ in range(3):
            one = connect(B, 7103)
            read_all(one)
            one.close()
        time.sleep(0.3)

    table = screen("a", "summary", "--by", "container,comm")
    lab.server("b", "fld-srv", server, 7103)
    lab.actor("a", "fld-cli", client).result()
    time.sleep(0.2)
    with open("/proc/self/cgroup") as own:
        paths = [line.rstrip("\n").split(":", 2)[2] for line in own]
    last = {path.rstrip("/").rsplit("/", 1)[-1][-12:] for path in paths}
    named = "|".join(re.escape(part) for part in last if part) or "/"
    return [(table, [rf"\n\S*({named}|[0-9a-f]{{12}})\S* +fld-cli +3 "])]


@job
def open_by_packets_alone(lab, screen):
    """A connection that has carried a megabyte is still open when a run without the kernel's hooks ends."""
    lab.pair()
    sent, done = Signal(), Signal()

    def server():
        c = accepted(listen(7104))
        c.sendall(b"x" * 1_000_000)
        sent.set()
        done.wait()

    def client():
        c = connect(B, 7104)
        c.sendall(b"hello")
        read_all(c, 1_000_000)
        done.wait()

    lines = [screen(place, "--kernel", "off", "-o", "json") for place in "ab"]
    lab.server("b", "fld-srv", server, 7104)
    lab.actor("a", "fld-cli", client)
    sent.wait()
    time.sleep(0.3)
    texts = [one.stop() for one in lines]
    done.set()
    counted = r'"outcome":"open".*"tx_bytes":{},"rx_bytes":{},.*"wire":\{{"tx_bytes":{},"rx_bytes":{},.*"complete":true'
    return [(texts[0], [counted.format(5, 1_000_000, 5, r"1\d{6}")]), (texts[1], [counted.format(1_000_000, 5, r"1\d{6}", 5)])]


@job
def reset_and_kept(lab, screen):
    """The server breaks off behind its answer, and the client's process keeps the descriptor."""
    lab.pair()
    kept = Signal()

    def server():
        c = accepted(listen(7105))
        c.recv(5)
        time.sleep(0.3)
        c.sendall(b"hello")
        time.sleep(0.1)
        abort(c)

    def client():
        c = connect(B, 7105)
        c.sendall(b"hello")
        read_all(c, 5)
        kept.wait()
        c.close()

    lines = screen("a", "-o", "json")
    lab.server("b", "fld-srv", server, 7105)
    lab.actor("a", "fld-cli", client)
    until(lambda: "reset-by-peer" in lines.printed_so_far(), 10, "the life")
    kept.set()
    return [(lines, [r'"outcome":"reset-by-peer".*"phases":\{.*"first_byte_ns":3\d{8},'])]
