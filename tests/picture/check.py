# SPDX-License-Identifier: Apache-2.0
"""check.py: pictures in a browser: what they show, that they say nothing on the console, how long they take to open.

    python3 -B tests/picture/check.py --tracer build/tcpwitness [--artifacts FOLDER] [NAME...]

Status 77: there is no browser, and the last line says so.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

from browser import Browser, missing

here = pathlib.Path(__file__).resolve().parent


# ---- Captures to draw ----

def frame(out, port, seq, ack, flags, length=0, window=512, options=b""):
    """An Ethernet frame between 10.0.0.1:port and 10.0.0.2:80."""
    ends = (bytes([10, 0, 0, 1]), port), (bytes([10, 0, 0, 2]), 80)
    (source, source_port), (target, target_port) = ends if out else ends[::-1]
    tcp = struct.pack(">HHIIBBHHH", source_port, target_port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                      (5 + len(options) // 4) << 4, flags, window, 0, 0) + options
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + length, 0, 0, 64, 6, 0, source, target)
    return bytes(12) + b"\x08\x00" + ip + tcp, length


def write_capture(path, frames):
    """frames: (time in us, frame, payload length). Payload is cut off, as with a snapshot length."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at, (head, length) in frames:
            file.write(struct.pack("<IIII", 1_760_000_000 + at // 1_000_000, at % 1_000_000, len(head), len(head) + length))
            file.write(head)


SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16


def conversation(port, start_us, segments, refused=False):
    """A handshake, so many segments of 1000 bytes each acknowledged, and a close."""
    step = 50
    at = start_us
    mine, peer = port * 7919, port * 104729
    yield at, frame(True, port, mine, 0, SYN)
    at += step
    if refused:
        yield at, frame(False, port, 0, mine + 1, RST | ACK)
        return
    yield at, frame(False, port, peer, mine + 1, SYN | ACK)
    at += step
    yield at, frame(True, port, mine + 1, peer + 1, ACK)
    for i in range(segments):
        at += step
        yield at, frame(True, port, mine + 1 + 1000 * i, peer + 1, PSH | ACK, 1000)
        at += step
        yield at, frame(False, port, peer + 1, mine + 1 + 1000 * (i + 1), ACK)
    end = mine + 1 + 1000 * segments
    at += step
    yield at, frame(True, port, end, peer + 1, FIN | ACK)
    yield at + step, frame(False, port, peer + 1, end + 1, FIN | ACK)
    yield at + 2 * step, frame(True, port, end + 1, peer + 2, ACK)


class Case:
    def __init__(self, tracer, folder, artifacts):
        self.tracer = tracer
        self.folder = folder
        self.artifacts = artifacts

    def draw(self, capture, name):
        page = self.folder / f"{name}.html"
        subprocess.run([self.tracer, "picture", capture, "-o", page], check=True, stderr=subprocess.DEVNULL)
        return page

    def read(self, capture, *options):
        done = subprocess.run([self.tracer, "read", capture, "-o", "json", *options], check=True, capture_output=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def shot(self, browser, name):
        if self.artifacts:
            browser.screenshot(self.artifacts / f"{name}.png")


def small(case):
    """A capture with a retransmission, a refused connection and ordinary ones."""
    frames = list(conversation(1001, 0, 20)) + list(conversation(1002, 400_000, 3)) + list(conversation(1003, 900_000, 0, refused=True))
    lost = [at for at, each in frames if each[1] == 1000][5]
    again = next(each for at, each in frames if at == lost)
    frames.append((lost + 350_000, again))
    frames.sort(key=lambda each: each[0])
    capture = case.folder / "small.pcap"
    write_capture(capture, frames)
    return capture


# ---- What is checked ----

def index_has_every_connection(case, browser):
    capture = small(case)
    lives = [each for each in case.read(capture) if each["type"] == "life"]
    browser.open(case.draw(capture, "small"))
    browser.wait("document.querySelectorAll('#list tbody tr').length === a", len(lives))
    case.shot(browser, "index")
    for life in lives:
        words = browser.run("document.querySelector(`tr[data-conn='${a}']`).innerText", life["conn"])
        for part in (life["outcome"], f"{life['local']['ip']}:{life['local']['port']}", *life["findings"]):
            assert part in words, (part, words)
    assert browser.find("status", "").text() == "3 of 3 connections"
    browser.find("checkbox", "only problems").click()
    browser.wait("document.querySelectorAll('#list tbody tr').length < a", len(lives))
    browser.find("checkbox", "only problems").click()
    browser.find("button", "duration").click()
    order = browser.run("[...document.querySelectorAll('#list tbody tr')].map((row) => Number(row.dataset.conn))")
    assert order == [life["conn"] for life in sorted(lives, key=lambda life: life["duration_ns"])], order
    browser.find("searchbox", "Search").type("10.0.0.1:1002")
    browser.wait("document.querySelectorAll('#list tbody tr').length === 1")


def other_segments_are_no_connections(case, browser):
    page = case.draw(small(case), "others")
    lines = page.read_text().split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith('{"life"') and '"conn":3,' in line)
    each = json.loads(lines[at].rstrip(","))
    each.update(stray=True, stray_segments=8)
    # Its finding is of later than all that is shown.
    each["findings"] = [{"ts_ns": each["life"]["start_ts_ns"] + 60_000_000_000, "rule": "stray-segment", "text": "late", "evidence": []}]
    lines[at] = json.dumps(each) + ("," if lines[at].endswith(",") else "")
    page.write_text("\n".join(lines))
    browser.open(page)
    browser.wait("document.querySelectorAll('#list tbody tr').length === 3")
    assert browser.find("status", "").text() == "2 of 2 connections, 8 other segments"
    case.shot(browser, "others")
    inside = browser.run("""
        const mark = document.querySelector("tr[data-conn='3'] .mark").getBoundingClientRect();
        const cell = document.querySelector("tr[data-conn='3'] td.time").getBoundingClientRect();
        return mark.left >= cell.left && mark.right <= cell.right + 0.5""")
    assert inside, "the mark of the last row is not in its cell"
    browser.find("searchbox", "Search").type("10.0.0.1:1002")
    browser.wait("document.getElementById('count').textContent === '1 of 2 connections'")


def ladder_has_every_event(case, browser):
    capture = small(case)
    entries = [each for each in case.read(capture, "--trace", "--packets", "all") if "id" in each and each["conn"] == 1]
    browser.open(case.draw(capture, "ladder"), "#conn=1")
    browser.wait("document.querySelectorAll('#ladder .r[data-id]').length === a", len(entries))
    case.shot(browser, "ladder")
    rows = browser.run("[...document.querySelectorAll('#ladder .r[data-id]')].map((row) => [Number(row.dataset.id), row.textContent])")
    for entry, (number, words) in zip(entries, rows):
        assert entry["id"] == number
        for part in (entry["flags"], f"seq={entry['rel_seq']}"):
            assert part in words, (part, words)
    again = next(each for each in entries if "retransmission" in each["analysis"])
    browser.find("searchbox", "Search").type("retransmission\ue007")
    browser.wait("document.querySelector('#ladder .chosen')?.dataset.id === a", str(again["id"]))
    # A finding lights up what it rests on.
    findings = [each for each in case.read(capture, "--trace") if each["type"] == "finding" and each["conn"] == 1]
    assert findings
    rule = findings[0]["rule"]
    browser.hover(browser.element(f"#ladder .o[aria-label^='{rule}'] rect"))
    lit = browser.run("[...document.querySelectorAll('#ladder .lit[data-id]')].map((row) => Number(row.dataset.id))")
    assert lit == findings[0]["evidence"], (lit, findings[0]["evidence"])


def graph_has_the_numbers(case, browser):
    capture = small(case)
    entries = [each for each in case.read(capture, "--trace", "--packets", "all") if each["type"] == "segment" and each["conn"] == 1]
    browser.open(case.draw(capture, "graph"), "#conn=1&view=graph")
    browser.wait("document.querySelectorAll('#plots canvas').length > 0")
    case.shot(browser, "graph")
    shown = browser.run("JSON.parse(document.getElementById('data').textContent).connections.find((c) => c.life.conn === 1).segments")
    for key in ("id", "rel_seq", "len", "win_bytes"):
        assert shown[key] == [each.get(key) for each in entries], key
    assert shown["out"] == [1 if each["dir"] == "out" else 0 for each in entries]
    words = [shown["texts"][number] for number in shown["words"]]
    assert words == [", ".join(each["analysis"]) for each in entries]
    assert browser.run("document.getElementById('legend').innerText").split("\n")[0].strip() == "data"
    browser.find("heading", "Sequence numbers")
    browser.find("heading", "Round-trip time")
    browser.find("heading", "Congestion and flight")


def sack_blocks_are_where_they_say(case, browser):
    """A hole: the receiver has what lies behind it, and reports it in SACK options."""
    frames = list(conversation(1001, 0, 8))
    lost = next(i for i, (_, each) in enumerate(frames) if each[1] == 1000)
    mine, peer = 1001 * 7919, 1001 * 104729
    reported = []
    for i, (at, each) in enumerate(frames):
        if i == lost or (each[1] == 0 and i == lost + 1):
            continue
        if lost < i < lost + 10 and each[1] == 0:
            block = struct.pack(">BBBBII", 1, 1, 5, 10, (mine + 1001) & 0xFFFFFFFF, (mine + 1 + 1000 * ((i - lost + 1) // 2)) & 0xFFFFFFFF)
            each = frame(False, 1001, peer + 1, mine + 1, ACK, options=block)
        reported.append((at, each))
    capture = case.folder / "sack.pcap"
    write_capture(capture, reported)
    blocks = [each.get("sack_blocks", []) for each in case.read(capture, "--trace", "--packets", "all") if each["type"] == "segment"]
    assert [[1001, 2001]] in blocks and [[1001, 5001]] in blocks, blocks
    browser.open(case.draw(capture, "sack"), "#conn=1&view=graph")
    browser.wait("document.querySelectorAll('#plots canvas').length > 0")
    case.shot(browser, "sack")
    shown = browser.run("JSON.parse(document.getElementById('data').textContent).connections[0].segments.sack")
    assert shown == blocks
    assert "SACK" in browser.run("document.getElementById('legend').innerText")


def keys_do_what_they_say(case, browser):
    browser.open(case.draw(small(case), "keys"), "#conn=1")
    browser.wait("document.querySelectorAll('#ladder .r[data-id]').length > 10")
    browser.keys("?")
    assert browser.run("!document.getElementById('help').hidden")
    browser.keys("jj")
    assert browser.run("document.querySelector('#ladder .chosen').dataset.id") == "2"
    browser.keys("n")
    assert browser.run("document.activeElement.getAttribute('role')") == "note"
    browser.keys("g")
    browser.wait("!document.getElementById('graph').hidden")
    before = browser.run("location.hash")
    browser.keys("]")
    browser.wait("location.hash !== a", before)
    browser.keys("\ue00c")
    browser.wait("!document.getElementById('index').hidden")


def axes_have_round_numbers(case, browser):
    browser.open(case.draw(small(case), "axes"))
    browser.wait("document.querySelectorAll('#list tbody tr').length === 3")
    ticks = "[...document.querySelectorAll('.axis span')].map((each) => each.textContent)"
    assert browser.run(ticks) == ["0 ms", "200 ms", "400 ms", "600 ms", "800 ms"], browser.run(ticks)
    browser.find("button", "+").click()
    assert browser.run(ticks) == ["300 ms", "400 ms", "500 ms", "600 ms"], browser.run(ticks)
    browser.run("location.hash = '#conn=1&view=graph'; return 1")
    browser.wait("document.querySelectorAll('#plots canvas').length > 0")
    labels = browser.run("[...document.querySelectorAll('.dygraph-axis-label-y')].map((each) => each.textContent).filter((each) => /B/.test(each))")
    assert len(labels) >= 6, labels
    for label in labels:
        number, unit = label.removesuffix("/s").split()
        size = float(number) * 1024 ** ["B", "KiB", "MiB"].index(unit)
        # A few of a power of two.
        assert size == 0 or int(size) // (int(size) & -int(size)) < 32, labels


def the_index_has_keys(case, browser):
    browser.open(case.draw(small(case), "index-keys"))
    browser.wait("document.querySelectorAll('#list tbody tr').length === 3")
    focused = "Number(document.activeElement.dataset.conn) || 0"
    for key, conn in (("j", 1), ("j", 2), ("\ue015", 3), ("j", 3), ("k", 2), ("\ue013", 1)):
        browser.keys(key)
        assert browser.run(focused) == conn, (key, browser.run(focused))
    # Enter in the search opens what was found, or goes to the first of several.
    browser.keys("/")
    browser.keys("10.0.0.1:10\ue007")
    assert browser.run(focused) == 1 and browser.run("location.hash") == ""
    browser.keys("\ue00c")
    browser.keys("/")
    browser.keys("10.0.0.1:1002\ue007")
    browser.wait("location.hash === '#conn=2'")
    browser.wait("!document.getElementById('one').hidden")
    assert browser.run("document.getElementById('search').value") == ""
    browser.keys("/")
    browser.keys("nowhere\ue007")
    browser.keys("\ue00c\ue00c")
    # What was searched in the ladder is not searched here; what was searched here still is, until Esc.
    browser.wait("!document.getElementById('index').hidden")
    assert browser.find("status", "").text() == "1 of 3 connections"
    browser.keys("\ue00c")
    assert browser.find("status", "").text() == "3 of 3 connections"
    assert browser.run("document.getElementById('search').value") == ""
    browser.keys("/")
    browser.keys("1002\ue00c")
    assert browser.find("status", "").text() == "3 of 3 connections"


def a_number_twice_stops_nobody(case, browser):
    """A transition that was concluded from a segment has the segment's number."""
    page = case.draw(small(case), "twice")
    page.write_text(page.read_text().replace('data-id="4"', 'data-id="3"', 1))
    browser.open(page, "#conn=1")
    browser.wait("document.querySelectorAll('#ladder .r[data-id]').length > 10")
    chosen = "[...document.querySelectorAll('#ladder .r[data-id]')].findIndex((row) => row.classList.contains('chosen'))"
    for i in range(5):
        browser.keys("j")
        assert browser.run(chosen) == i, (i, browser.run(chosen))
    assert browser.run("document.querySelectorAll('#ladder .chosen').length") == 1
    browser.keys("\ue013\ue013")
    assert browser.run(chosen) == 2, browser.run(chosen)


def a_narrow_dark_window(case, browser):
    browser.close()
    browser.__init__(800, 600, dark=True)
    page = case.draw(small(case), "narrow")
    for fragment, name in (("", "index"), ("#conn=1", "ladder"), ("#conn=1&view=graph", "graph")):
        browser.open(page, fragment)
        browser.wait("document.readyState === 'complete'")
        case.shot(browser, f"{name}-800-dark")
        if name == "ladder":
            size = "[document.querySelector('#ladder svg.top').clientWidth, document.getElementById('ladder').clientWidth]"
            wide, room = browser.run(size)
            assert wide <= room + 1, f"the ladder has {wide} pixels, and there are {room}"
            browser.keys("+")
            assert browser.run(size)[0] > room, "larger is not larger"
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 200, ground
    browser.close()
    browser.__init__()


def opens_within(case, browser, name, frames, seconds):
    capture = case.folder / f"{name}.pcap"
    write_capture(capture, sorted(frames, key=lambda each: each[0]))
    page = case.draw(capture, name)
    browser.open("/dev/null")
    begun = time.monotonic()
    browser.open(page)
    browser.wait("document.readyState === 'complete' && (document.querySelector('#list tbody tr') || document.querySelector('#ladder .r'))")
    took = time.monotonic() - begun
    print(f"  {name}: {page.stat().st_size / 1e6:.1f} MB, open after {took:.2f} s")
    assert took < seconds, f"{name} took {took:.2f} s"


def a_thousand_connections(case, browser):
    frames = [each for i in range(1000) for each in conversation(2000 + i, 3000 * i, 4)]
    opens_within(case, browser, "a thousand connections", frames, 2 * case.slack)
    assert browser.run("document.querySelectorAll('#list tbody tr').length") == 1000


def a_hundred_thousand_segments(case, browser):
    opens_within(case, browser, "a hundred thousand segments", conversation(3000, 0, 50_000), 2 * case.slack)
    browser.run("document.getElementById('ladder').scrollTop = 1e6; return 1")
    browser.wait("document.querySelectorAll('#ladder .r').length > 0 && document.querySelectorAll('#ladder .r').length < 3000")
    begun = time.monotonic()
    browser.run("location.hash = '#conn=1&view=graph'; return 1")
    browser.wait("document.querySelectorAll('#plots canvas').length > 0")
    took = time.monotonic() - begun
    print(f"  its graph: {took:.2f} s")
    assert took < 2 * case.slack
    # Closer, every segment is there.
    browser.keys("+" * 8)


def what_others_wrote_is_text(case, browser):
    # A capture has no names of processes; its path is shown.
    capture = case.folder / "<img src=x onerror=alert(1)><script>alert(2)<!--.pcap"
    capture.write_bytes(small(case).read_bytes())
    browser.open(case.draw(capture, "hostile"))
    browser.wait("document.querySelectorAll('#list tbody tr').length === 3")
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert "<script>alert(2)<!--" in browser.run("document.getElementById('about').textContent")
    # What turns a line round is shown as a question mark, wherever the name comes from.
    turned = case.folder / "\u202etxt\u2067.pcap"
    turned.write_bytes(capture.read_bytes())
    browser.open(case.draw(turned, "turned"))
    browser.wait("document.querySelectorAll('#list tbody tr').length === 3")
    assert "?txt?.pcap" in browser.run("document.getElementById('about').textContent")
    assert "?txt?.pcap" in browser.run("document.title")


def load(page):
    """The data of a page."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.S).group(1))


SCRIPT_NAME = "<script>alert(1"  # all that a process's name has room for


def traffic(port_file, megabytes):
    """A process with a hostile name that sends to itself, for 3.2 s: a sample that took long puts off the next one."""
    return f"""
import ctypes, pathlib, socket, threading, time
ctypes.CDLL(None).prctl(15, {SCRIPT_NAME.encode()!r}, 0, 0, 0)
listener = socket.create_server(("127.0.0.1", 0))
pathlib.Path({str(port_file)!r}).write_text(str(listener.getsockname()[1]))
input()
def serve():
    peer = listener.accept()[0]
    while peer.recv(65536): pass
    peer.close()
server = threading.Thread(target=serve)
server.start()
client = socket.create_connection(listener.getsockname())
for _ in range({megabytes} * 8):
    client.sendall(bytes(131072))
    time.sleep(0.1)
client.close()
server.join()
"""


def watched(case, name, arguments):
    """Runs the tracer while the traffic runs; arguments get the port."""
    port_file = case.folder / f"{name}.port"
    sender = subprocess.Popen([sys.executable, "-c", traffic(port_file, 4)], stdin=subprocess.PIPE, text=True)
    while not (port_file.exists() and port_file.read_text()):
        time.sleep(0.01)
    tracer = subprocess.Popen([case.tracer, *arguments, "--port", port_file.read_text()], stderr=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL)
    for line in tracer.stderr:
        if "tracing" in line:
            break
    sender.communicate("\n")
    tracer.send_signal(signal.SIGINT)
    tracer.communicate()
    assert tracer.returncode == 0, tracer.returncode


def a_live_picture_has_both_ends_and_samples(case, browser):
    if os.geteuid() != 0:
        print("  skipped: tracing needs root")
        return
    page = case.folder / "live.html"
    watched(case, "live", ["picture", "-o", page, "--sample", "50ms"])
    connections = load(page)["connections"]
    assert len(connections) == 2, [each["life"] for each in connections]
    sends = max(connections, key=lambda each: each["life"]["tx_bytes"])
    samples = sends["samples"]
    assert len(samples["id"]) >= 2, samples
    assert all(0 < each < 10_000_000 for each in samples["srtt_us"]) and all(samples["cwnd_segments"]), samples
    assert samples["t_us"] == sorted(samples["t_us"])
    browser.open(page, f"#conn={sends['life']['conn']}")
    browser.wait("document.querySelectorAll('#ladder .r[data-id]').length > 10")
    case.shot(browser, "live-ladder")
    words = browser.run("document.getElementById('ladder').textContent")
    assert "peer's process" in words and SCRIPT_NAME in words, words[:300]
    assert browser.run("document.querySelectorAll('[data-also]').length") > 5
    assert browser.run("document.querySelectorAll('#ladder script').length") == 0
    browser.run("location.hash += '&view=graph'; return 1")
    browser.wait("document.querySelectorAll('#plots canvas').length > 6")
    case.shot(browser, "live-graph")
    headings = browser.run("[...document.querySelectorAll('#plots h3')].map((each) => each.textContent).join('\\n')")
    for part in ("kernel srtt", "congestion window", "kernel's estimate"):
        assert part in headings, headings


def a_recording_keeps_the_samples(case, browser):
    if os.geteuid() != 0:
        print("  skipped: tracing needs root")
        return
    recording = case.folder / "kept.pcapng"
    watched(case, "kept", ["record", "-q", "--packets", "all", "-w", recording])
    reported = [each for each in case.read(recording, "--trace") if each["type"] == "sample"]
    shown = [each for each in load(case.draw(recording, "kept"))["connections"] if "samples" in each]
    assert reported and shown
    for each in shown:
        mine = [one for one in reported if one["conn"] == each["life"]["conn"]]
        for key in ("id", "srtt_us", "cwnd_segments", "ssthresh_segments", "mss", "in_flight_bytes", "delivery_rate_bytes_s"):
            assert each["samples"][key] == [one[key] for one in mine], key
    off = case.folder / "off.pcapng"
    watched(case, "off", ["record", "-q", "--sample", "off", "-w", off])
    assert not [each for each in case.read(off, "--trace") if each["type"] == "sample"]


CASES = [index_has_every_connection, other_segments_are_no_connections, ladder_has_every_event, graph_has_the_numbers, sack_blocks_are_where_they_say, keys_do_what_they_say,
         axes_have_round_numbers, the_index_has_keys, a_number_twice_stops_nobody,
         a_narrow_dark_window, a_thousand_connections, a_hundred_thousand_segments, what_others_wrote_is_text,
         a_live_picture_has_both_ends_and_samples, a_recording_keeps_the_samples]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracer", type=pathlib.Path, default=here.parents[1] / "build/tcpwitness")
    parser.add_argument("--artifacts", type=pathlib.Path)
    parser.add_argument("--slack", type=float, default=1, help="how many times as long as promised things may take")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if why := missing():
        print(f"pictures were not looked at in a browser: {why}")
        return 77
    if arguments.artifacts:
        arguments.artifacts.mkdir(parents=True, exist_ok=True)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        case = Case(arguments.tracer.resolve(), pathlib.Path(folder), arguments.artifacts)
        case.slack = arguments.slack
        browser = Browser()
        try:
            for check in CASES:
                if arguments.names and check.__name__ not in arguments.names:
                    continue
                try:
                    check(case, browser)
                    said = browser.console()
                    assert not said, f"on the console: {said}"
                    print(f"ok {check.__name__}")
                except AssertionError as error:
                    failed += 1
                    print(f"FAILED {check.__name__}: {error}")
        finally:
            browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
