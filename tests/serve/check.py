#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tcpwitness serve as its users have it: a load whose numbers are known, Debian's promtool and prometheus, hostile scrapers.

    check.py --tracer build/tcpwitness

Two namespaces with a cable; the tracer watches the client's end and is scraped over this namespace's loopback, so that scraping
is no part of the numbers. Needs root. Exit code 77: not here, and the last line has the reason.
"""

import argparse
import concurrent.futures
import ctypes
import json
import os
import pathlib
import re
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

project = pathlib.Path(__file__).resolve().parents[2]
libc = ctypes.CDLL(None, use_errno=True)
server_ip, client_ip = "10.94.35.2", "10.94.35.1"
ordinary, refusing, dropping, resetting, idling = 7000, 7001, 7002, 7003, 7004


def run(*command, check=True, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
    return done


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            expect(value, f"waited {seconds} s for {what}")
            return value
        time.sleep(0.1)


wrong = []


def expect(true, what):
    if not true:
        wrong.append(what)
        print("WRONG:", what)


class Namespace:
    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command):
        return run("ip", "netns", "exec", self.name, *command).stdout

    def enter(self):
        with open(f"/run/netns/{self.name}") as place:
            if libc.setns(place.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def fork(self, comm, work):
        """A process of this name here; its pid."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # dies with this one
                libc.prctl(15, comm, 0, 0, 0)
                self.enter()
                work()
                code = 0
            finally:
                os._exit(code)
        return pid


def listen(port):
    sock = socket.create_server((server_ip, port), backlog=512)
    return sock


def serve_clients(ready):
    """Each port does one thing with each of its clients."""
    sockets = {listen(port): port for port in (ordinary, resetting, idling)}
    os.write(ready, b"x")
    selector = selectors.DefaultSelector()
    for sock in sockets:
        selector.register(sock, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj not in sockets:  # the one that idles
                if not key.fileobj.recv(1000):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                continue
            client, _ = key.fileobj.accept()
            port = sockets[key.fileobj]
            if port == ordinary:
                got = 0
                while got < 1000:
                    got += len(client.recv(1000))
                client.sendall(b"y" * 500)
                client.recv(1)  # the client closes first
                client.close()
            elif port == resetting:
                client.recv(1)
                time.sleep(0.01)
                client.close()  # with unread data: RST
            else:
                selector.register(client, selectors.EVENT_READ)


def talk(count):
    def work():
        for _ in range(count):
            with socket.create_connection((server_ip, ordinary)) as sock:
                sock.sendall(b"x" * 1000)
                got = 0
                while got < 500:
                    got += len(sock.recv(500))

    return work


def be_refused(count):
    def work():
        for _ in range(count):
            try:
                socket.create_connection((server_ip, refusing))
            except ConnectionRefusedError:
                pass

    return work


def be_reset(count):
    def work():
        for _ in range(count):
            with socket.create_connection((server_ip, resetting)) as sock:
                sock.sendall(b"x" * 100)
                try:
                    while sock.recv(10):
                        pass
                except ConnectionResetError:
                    pass

    return work


def be_dropped():
    sock = socket.socket()
    sock.settimeout(2.5)
    try:
        sock.connect((server_ip, dropping))
    except OSError:
        pass
    sock.close()


def idle(stop):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    sock.connect((server_ip, idling))
    sock.sendall(b"z" * 321)
    os.read(stop, 1)
    sock.close()


class Scraped:
    line = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')

    def __init__(self, text):
        self.text = text
        self.values = {}
        for line in text.splitlines():
            if line.startswith("#") or not line:
                continue
            match = self.line.match(line)
            expect(match, f"no line of this format: {line}")
            if not match:
                continue
            labels = tuple(sorted(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', match[2] or "")))
            expect((match[1], labels) not in self.values, f"twice: {line}")
            self.values[match[1], labels] = float(match[3])

    def sum(self, name, **labels):
        wanted = set(labels.items())
        return sum(value for (metric, has), value in self.values.items() if metric == name and wanted <= set(has))


def scrape(port, timeout=5, host="127.0.0.1"):
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=timeout) as answer:
        expect(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), "content type")
        return Scraped(answer.read().decode())


class Tracer:
    def __init__(self, binary, *arguments, host="127.0.0.1", **more):
        self.host = host
        self.err = tempfile.TemporaryFile("w+")
        self.out = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([binary, "serve", "--listen", f"{host}:0", *arguments], stdout=self.out, stderr=self.err, **more)
        found = until(lambda: re.search(r"metrics at http://[^ ]+:(\d+)/metrics", self.said()) or self.process.poll(), 90, "the tracer")
        if not isinstance(found, re.Match):
            raise SystemExit(f"serve did not start: {self.said()}")
        self.port = int(found[1])

    def said(self):
        self.err.seek(0)
        return self.err.read()

    def scrape(self):
        return scrape(self.port, host=self.host)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        expect(code == 0, f"exit code {code}: {self.said()}")
        self.out.seek(0)
        expect(self.out.read() == "", "nothing goes to stdout")
        return self.said()


def threads_of(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        yield {key: value.strip() for key, value in (line.split(":", 1) for line in status.splitlines() if ":" in line)}


def held_open(pairs):
    """Connections over loopback, twice as many as the flow map of the tracer here has room for."""
    def work():
        resource.setrlimit(resource.RLIMIT_NOFILE, (3 * pairs, 3 * pairs))
        listener = socket.create_server(("127.0.0.1", 7100), backlog=512)
        kept = []
        for _ in range(pairs):
            sock = socket.create_connection(("127.0.0.1", 7100))
            kept += [sock, listener.accept()[0]]
        signal.pause()

    return work


def check_evicted(tracer):
    """What gave way counts while the tracer runs, and never falls."""
    last = [0]
    def grown():
        count = tracer.scrape().sum("tcpwitness_evicted_flows_total")
        expect(count >= last[0], f"evicted flows: {last[0]}, then {count}")
        last[0] = count
        return count > 0
    until(grown, 60, "flows that gave way")
    said = tracer.stop()
    found = re.search(r"([\d,]+) times a flow gave way", said)
    expect(found and last[0] <= int(found[1].replace(",", "")), f"evicted flows: {last[0]}, and at the end: {said}")


def check_privileges(pid):
    threads = list(threads_of(pid))
    expect(len(threads) == 3, f"threads: the reader, the one that raises it, and the exporter: {len(threads)}")
    expect(all(thread["Seccomp"] == "2" for thread in threads), "every thread is under the filter of system calls")
    capabilities = sorted(int(thread["CapEff"], 16) for thread in threads)
    expect(capabilities[0] == 0, "the exporter has no capability")
    expect(all(value & ~((1 << 39) | (1 << 38) | (1 << 12) | (1 << 23) | (1 << 21)) == 0 for value in capabilities),
           f"capabilities: {capabilities}")


def counted(client):
    """Segments as nft counts them: dropped on their way out, sent, received."""
    return [int(packets) for packets in re.findall(r"counter packets (\d+)", client.run("nft", "list", "ruleset"))]


def check_segments(tracer, client):
    """To the segment, with what is sent in TIME_WAIT; nothing is open."""
    def differ():
        page, (_, out, into) = tracer.scrape(), counted(client)
        found = page.sum("tcpwitness_segments_total", direction="transmit"), page.sum("tcpwitness_segments_total", direction="receive")
        return None if found == (out, into) else (found, (out, into))
    until(lambda: not differ(), 15, "the segments that nft has counted")
    expect(not differ(), f"segments: {differ()}")


def check_numbers(tracer, sent):
    """What was played, to the byte: outcomes, payload, resets, drops."""
    def right(page):
        count = lambda outcome: page.sum("tcpwitness_connections_total", outcome=outcome)
        return {
            "completed": (count("completed"), sent["talks"]),
            "refused": (count("refused"), sent["refused"]),
            "reset-by-peer": (count("reset-by-peer"), sent["resets"]),
            "all": (page.sum("tcpwitness_connections_total"), sent["talks"] + sent["refused"] + sent["resets"] + sent["dropped"]),
            "bytes sent": (page.sum("tcpwitness_payload_bytes_total", direction="transmit"), sent["talks"] * 1000 + sent["resets"] * 100 + 321 * sent["idle"]),
            "bytes received": (page.sum("tcpwitness_payload_bytes_total", direction="receive"), sent["talks"] * 500),
            "resets by the peer": (page.sum("tcpwitness_resets_total", origin="peer"), sent["refused"] + sent["resets"]),
            "drops": (page.sum("tcpwitness_dropped_segments_total", reason="NETFILTER_DROP", direction="transmit"), sent["drops"]),
            "connect times": (page.sum("tcpwitness_connect_duration_seconds_count"), sent["talks"] + sent["resets"]),
            "lifetimes": (page.sum("tcpwitness_connection_duration_seconds_count"), sent["talks"] + sent["refused"] + sent["resets"] + sent["dropped"]),
            "open": (page.sum("tcpwitness_open_connections", state="established"), sent["idle"]),
            "lost": (page.sum("tcpwitness_lost_events_total"), 0),
        }
    def differ():
        return {name: pair for name, pair in right(tracer.scrape()).items() if pair[0] != pair[1]}
    until(lambda: not differ(), 20, "numbers as they were played")
    for name, (found, known) in differ().items():
        expect(False, f"{name}: {found}, and it was {known}")


def check_keepalive(tracer):
    def probes():
        page = tracer.scrape()
        sent, answers = page.sum("tcpwitness_keepalive_probes_total", direction="transmit"), page.sum("tcpwitness_keepalive_answers_total")
        return sent >= 2 and answers >= sent - 1
    until(probes, 15, "keep-alive probes and their answers")


def check_promtool(tracer):
    if not shutil.which("promtool"):
        return print("skipped: no promtool")
    done = subprocess.run(["promtool", "check", "metrics"], input=tracer.scrape().text, capture_output=True, text=True)
    expect(done.returncode == 0 and not done.stderr.strip(), f"promtool: {done.stdout} {done.stderr}")


def hostile_scrapers(port):
    """Slow ones, greedy ones, many, and such that are none: they stay until the function that is returned is called."""
    clients = []
    for number in range(150):
        sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        clients.append(sock)
        try:
            if number % 3 == 0:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nX: ")  # and no more
            elif number % 3 == 1:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)  # and reads nothing
            else:
                sock.sendall(b"\0" * 100_000)
        except OSError:
            pass  # closed: rightly
    return lambda: [sock.close() for sock in clients]


def check_hostile(tracer, play):
    leave = hostile_scrapers(tracer.port)
    begun = time.monotonic()
    tracer.scrape()
    expect(time.monotonic() - begun < 3, f"a scrape beside hostile clients took {time.monotonic() - begun:.1f} s")
    played = play()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        times = list(pool.map(lambda _: timed_scrape(tracer.port), range(40)))
    expect(max(times) < 3, f"slowest of 40 scrapes: {max(times):.1f} s")
    check_privileges(tracer.process.pid)
    leave()
    return played


def timed_scrape(port):
    begun = time.monotonic()
    scrape(port)
    return time.monotonic() - begun


def ipv6_or_not():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return "[::1]"
    except OSError:
        return "127.0.0.1"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def queries():
    board = json.loads((project / "docs/grafana.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "10s").replace("$instance", ".*").replace("$__range", "60s")


# What a healthy minute has nothing of.
may_be_empty = {"Events lost", "Flows evicted"}


def check_prometheus(tracer, play, directory):
    if not shutil.which("prometheus"):
        return print("skipped: no prometheus")
    config = directory / "prometheus.yml"
    config.write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: tcpwitness
    static_configs: [{{targets: ["127.0.0.1:{tracer.port}"]}}]
""")
    port = free_port()
    log = open(directory / "prometheus.log", "w+")
    prometheus = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=log, stderr=log)

    def ask(expression):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": error.read().decode(), "data": {"result": []}}
        except OSError:
            return {"status": "not there", "data": {"result": []}}
        return found

    def value(expression):
        result = ask(expression)["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    try:
        until(lambda: value("up{job='tcpwitness'}") == 1, 30, "prometheus to have scraped")
        before = value("sum(tcpwitness_connections_total)") or 0
        more = play()
        until(lambda: value("sum(tcpwitness_connections_total)") == before + more, 20, "prometheus to have what was played")
        asked = 0
        for title, expression in queries():
            found = ask(expression)
            asked += 1
            expect(found["status"] == "success", f"{title}: {expression}: {found['status']}")
            expect(found["data"]["result"] or title in may_be_empty, f"{title}: {expression}: no data")
        expect(asked >= 12, f"{asked} queries")
        until(lambda: value("scrape_samples_scraped") is not None, 5, "samples")
        print(f"{asked} queries of the dashboard; {value('scrape_samples_scraped'):.0f} samples a scrape, {value('scrape_duration_seconds') * 1e3:.1f} ms")
    finally:
        prometheus.terminate()
        prometheus.wait(20)


def check_usage(binary, tracer):
    taken = subprocess.run([binary, "serve", "--listen", f"127.0.0.1:{tracer.port}"], capture_output=True, text=True, timeout=60)
    expect(taken.returncode == 1 and "Address already in use" in taken.stderr, f"a port that is taken: {taken.returncode} {taken.stderr}")
    for bad in ("9435", "localhost:9435", "127.0.0.1:70000", "::1:9435", "127.0.0.1:", "10.0.0.0/8:80"):
        done = subprocess.run([binary, "serve", "--listen", bad], capture_output=True, text=True, timeout=60)
        expect(done.returncode == 2 and "is not an address and a port" in done.stderr, f"{bad}: {done.returncode} {done.stderr}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracer", required=True)
    binary = str(pathlib.Path(parser.parse_args().tracer).resolve())
    if os.geteuid() != 0:
        print("not root: no namespaces and no BPF")
        return 77
    if run("ip", "netns", "list", check=False).returncode != 0:
        print("no network namespaces here")
        return 77
    name = f"serve-{os.getpid()}"
    client, server, crowded = Namespace(f"{name}-a"), Namespace(f"{name}-b"), Namespace(f"{name}-c")
    pids, tracer, evicting, stop = [], None, None, os.pipe()
    directory = pathlib.Path(tempfile.mkdtemp())
    try:
        run("ip", "link", "add", "sv0", "netns", client.name, "type", "veth", "peer", "name", "sv1", "netns", server.name)
        for place, device, address in ((client, "sv0", client_ip), (server, "sv1", server_ip)):
            place.run("ip", "addr", "add", f"{address}/24", "dev", device)
            place.run("ip", "link", "set", device, "up")
        client.run("nft", "add table inet t; add chain inet t o { type filter hook output priority 0; }; "
                   f"add rule inet t o tcp dport {dropping} counter drop; add rule inet t o meta l4proto tcp counter; "
                   "add chain inet t i { type filter hook prerouting priority -300; }; add rule inet t i meta l4proto tcp counter")
        ready = os.pipe()
        pids.append(server.fork(b"srv", lambda: serve_clients(ready[1])))
        os.read(ready[0], 1)
        tracer = Tracer(binary, "--netns", client.name, "--labels", "process,listener")
        played = {"talks": 0, "refused": 0, "resets": 0, "dropped": 0, "drops": 0, "idle": 0}

        def play(name, work, what=None, count=0):
            pid = client.fork(name, work)
            if what:
                _, status = os.waitpid(pid, 0)
                expect(status == 0, f"{what}: the client failed")
                played[what] += count
            else:
                pids.append(pid)
            return count

        # Beside the others: what gives way is counted every half minute.
        evicting = Tracer(binary, "--netns", crowded.name, "--flows", "1024")
        pids.append(crowded.fork(b"crowd", held_open(2500)))
        play(b"talk", talk(30), "talks", 30)
        # A name that is not UTF-8 and has quotes: one byte of it in a label costs Prometheus the whole scrape.
        play(b'\xff"}\n\xe5\x90 x', talk(3), "talks", 3)
        play(b"refused", be_refused(5), "refused", 5)
        play(b"reset", be_reset(3), "resets", 3)
        play(b"dropped", be_dropped, "dropped", 1)
        played["drops"] = counted(client)[0]
        expect(played["drops"] >= 2, "the SYN was sent again")
        check_numbers(tracer, played)
        check_segments(tracer, client)
        # Its bytes count while it is open.
        play(b"idle", lambda: idle(stop[0]))
        played["idle"] = 1
        check_numbers(tracer, played)
        page = tracer.scrape()
        expect(page.sum("tcpwitness_connections_total", process="talk", listener=str(ordinary)) == 30, "labels: process and listener")
        expect(page.sum("tcpwitness_connections_total", process="refused", outcome="refused", listener=str(refusing)) == 5, "labels of a refused one")
        expect(page.sum("process_resident_memory_bytes") > 1e6, "own memory")
        expect(0 < page.sum("process_cpu_seconds_total") < 60, "own CPU time")
        expect(abs(page.sum("process_start_time_seconds") - time.time()) < 300, "own start")
        check_promtool(tracer)
        check_hostile(tracer, lambda: play(b"talk", talk(100), "talks", 100))
        check_prometheus(tracer, lambda: play(b"talk", talk(20), "talks", 20), directory)
        check_keepalive(tracer)
        check_numbers(tracer, played)
        check_usage(binary, tracer)
        expect(tracer.scrape().sum("tcpwitness_evicted_flows_total") == 0, "flows that gave way where there was room")
        check_evicted(evicting)
        evicting = None
        said = tracer.stop()
        expect("nothing lost" in said, said)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(str(directory / "notify"))
        manager.settimeout(30)
        # What it carried before another run is not of that run: no step at each start.
        tracer = Tracer(binary, "--netns", client.name, "--labels", "none", host=ipv6_or_not(), env=os.environ | {"NOTIFY_SOCKET": str(directory / "notify")})
        expect(b"READY=1" in manager.recv(4096), "a service manager gets READY=1")
        until(lambda: tracer.scrape().sum("tcpwitness_open_connections") == 1, 15, "what was open before")
        expect(tracer.scrape().sum("tcpwitness_payload_bytes_total") == 0, "bytes of before the run")
        os.write(stop[1], b"x")
        until(lambda: tracer.scrape().sum("tcpwitness_connections_total", outcome="completed") == 1, 15, "its end")
        expect(tracer.scrape().sum("tcpwitness_payload_bytes_total") == 0, "bytes of before the run, at its end")
        tracer.stop()
        tracer = None
    finally:
        for running in (tracer, evicting):
            if running:
                running.process.kill()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        for place in (client, server, crowded):
            run("ip", "netns", "del", place.name, check=False)
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{len(wrong)} wrong" if wrong else "all as it was played")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
