# SPDX-License-Identifier: Apache-2.0
"""Where a situation is played: network namespaces, links, processes in them.

Everything belongs to one situation and is removed with it: namespaces by name (fld-PID-...), processes by their own id. Each situation
uses the same addresses: none may see anything of another one.
"""
import ctypes
import os
import pickle
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from needs import Skip

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET, PR_SET_NAME, PR_SET_PDEATHSIG = 0x40000000, 15, 1


class NotPlayed(Exception):
    """What had to happen did not happen: nothing can be judged."""


def run(command, check=True, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if check and done.returncode != 0:
        raise NotPlayed(f"{command}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def until(condition, seconds=10.0, what="a condition"):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise NotPlayed(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


class Signal:
    """Set once, by any process; wait() returns when it is set."""

    def __init__(self):
        self.fd = os.eventfd(0)

    def set(self):
        os.eventfd_write(self.fd, 1)

    def wait(self, seconds=20):
        if not select.select([self.fd], [], [], seconds)[0]:
            raise NotPlayed("a signal of another actor did not come")


class Actor:
    """A forked process named comm in a namespace that runs func(*arguments)."""

    def __init__(self, netns, comm, func, *arguments):
        self.comm, self.output = comm, None
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reader)
            self._run(writer, netns, comm, func, arguments)
        os.close(writer)
        self.reader = reader

    @staticmethod
    def _run(writer, netns, comm, func, arguments):
        try:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            LIBC.prctl(PR_SET_NAME, comm.encode(), 0, 0, 0)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            signal.alarm(90)
            with open(f"/run/netns/{netns}") as place:
                if LIBC.setns(place.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result = (True, func(*arguments))
        except Exception as error:  # noqa: whatever it is, the parent reports it
            result = (False, f"{type(error).__name__}: {error}")
        try:
            os.write(writer, pickle.dumps(result))
        finally:
            os._exit(0)

    def result(self):
        """Waits for its end; what func returned, None where it was killed."""
        if self.reader is not None:
            data = b""
            while chunk := os.read(self.reader, 65536):
                data += chunk
            os.close(self.reader)
            self.reader = None
            os.waitpid(self.pid, 0)
            self.output = pickle.loads(data) if data else (True, None)
        ok, value = self.output or (True, None)
        if not ok:
            raise NotPlayed(f"{self.comm}: {value}")
        return value

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid, number)

    def end(self):
        if self.reader is not None:
            self.kill()
            os.close(self.reader)
            self.reader = None
            os.waitpid(self.pid, 0)


class Lab:
    def __init__(self, prefix, watcher):
        self.prefix, self.watcher = prefix, watcher
        self.names, self.actors, self.programs, self.watches, self.cgroups = [], [], [], [], []
        self.folder = tempfile.mkdtemp(prefix=f"{prefix}-", dir="/tmp")
        os.chmod(self.folder, 0o755)

    # Places

    def netns(self, *names):
        for name in names:
            self.names.append(name)
            run(["ip", "netns", "add", self.full(name)])
            run(["ip", "-n", self.full(name), "link", "set", "lo", "up"])

    def full(self, name):
        return f"{self.prefix}-{name}"

    def link(self, a, address_a, b, address_b, mtu=1500, number=""):
        """A veth pair between two namespaces: to-b in a, to-a in b. Addresses with their prefix length, one or a list."""
        name_a, name_b = f"to-{b}{number}", f"to-{a}{number}"
        run(["ip", "link", "add", name_a, "netns", self.full(a), "mtu", str(mtu), "type", "veth",
             "peer", "name", name_b, "netns", self.full(b), "mtu", str(mtu)])
        for place, name, addresses in ((a, name_a, address_a), (b, name_b, address_b)):
            for address in [addresses] if isinstance(addresses, str) else addresses:
                run(["ip", "-n", self.full(place), "addr", "add", address, "dev", name] + (["nodad"] if ":" in address else []))
            run(["ip", "-n", self.full(place), "link", "set", name, "up"])
        for address in [address_b] if isinstance(address_b, str) else address_b:
            if ":" in address:
                self.resolve(a, name_a, address.split("/")[0])

    def resolve(self, place, interface, address):
        """Learns a neighbour's hardware address: a new link's first IPv6 question can be lost, and the next is a second later."""
        self.ip(place, f"neigh replace {address} dev {interface} use")
        until(lambda: "lladdr" in self.ip(place, f"neigh show {address} dev {interface}"), 10, f"{address} to answer")

    def pair(self, mtu=1500):
        """The usual place: a (10.9.0.1) and b (10.9.0.2)."""
        self.netns("a", "b")
        self.link("a", ["10.9.0.1/24", "fd09::1/64"], "b", ["10.9.0.2/24", "fd09::2/64"], mtu)

    def routed(self):
        """a (10.8.0.1), a router r (10.8.0.254, 10.9.0.254), b (10.9.0.2)."""
        self.netns("a", "r", "b")
        self.link("a", "10.8.0.1/24", "r", "10.8.0.254/24")
        self.link("b", "10.9.0.2/24", "r", "10.9.0.254/24")
        self.ip("a", "route add default via 10.8.0.254")
        self.ip("b", "route add default via 10.9.0.254")
        self.sysctl("r", "net.ipv4.ip_forward", 1)

    def bridge(self, place, *ports):
        """br0, with these interfaces as its ports."""
        self.ip(place, "link add br0 type bridge")
        for port in ports:
            self.ip(place, f"link set {port} master br0")
        self.ip(place, "link set br0 up")

    def ip(self, place, arguments):
        return run(["ip", "-n", self.full(place), *arguments.split()])

    def device(self, place, arguments):
        """A device of a kind that not every kernel has."""
        try:
            self.ip(place, f"link add {arguments}")
        except NotPlayed as reason:
            raise Skip(str(reason)) from None

    def shell(self, place, command, check=True):
        return run(["ip", "netns", "exec", self.full(place), "sh", "-c", command], check)

    def sysctl(self, place, name, value):
        self.shell(place, f"echo {value} > /proc/sys/{name.replace('.', '/')}")

    def no_offload(self, place, *interfaces):
        for interface in interfaces:
            self.shell(place, f"ethtool -K {interface} tso off gso off gro off")

    def nft(self, place, rules):
        run(["ip", "netns", "exec", self.full(place), "nft", "-f", "-"], input=rules)

    # Processes

    def actor(self, place, comm, func, *arguments):
        self.actors.append(Actor(self.full(place), comm, func, *arguments))
        return self.actors[-1]

    def server(self, place, comm, func, port, *arguments):
        """An actor that listens on port when this returns."""
        actor = self.actor(place, comm, func, *arguments)
        self.listening(place, port)
        return actor

    def program(self, place, *command, port=None, environment=None):
        """A program; with a port: it listens there when this returns. Its output is in .log."""
        log = open(f"{self.folder}/{len(self.programs)}.log", "w+")
        program = subprocess.Popen(["ip", "netns", "exec", self.full(place), *map(str, command)], stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, cwd=self.folder, env={**os.environ, **(environment or {})})
        program.log = log
        self.programs.append(program)
        if port is not None:
            self.listening(place, port, program)
        return program

    def output(self, program, seconds=30):
        """Waits for a program's end; (exit code, what it printed)."""
        try:
            code = program.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NotPlayed(f"{program.args[4]} did not end within {seconds} s") from None
        return code, self.printed(program)

    @staticmethod
    def printed(program):
        with open(program.log.name) as log:
            return log.read()

    def file(self, name, text):
        path = f"{self.folder}/{name}"
        with open(path, "w") as file:
            file.write(text)
        return path

    def compiled(self, name, source):
        """The program that C source makes, by its path."""
        path = f"{self.folder}/{name}"
        code, text = self.output(self.program("b", "cc", "-O1", "-o", path, self.file(f"{name}.c", source)))
        if code != 0:
            raise NotPlayed(text)
        return path

    def listening(self, place, port, program=None):
        def listens():
            if program is not None and program.poll() is not None:
                raise NotPlayed(f"{program.args[4]} ended: {self.printed(program)}")
            return self.sockets(place, f"sport = :{port}", "-l")
        until(listens, 20, f"a listener on port {port}")

    def sockets(self, place, which, *options):
        """Lines of `ss -tnH` for a filter, such as 'state established dport = :80'."""
        return run(["ip", "netns", "exec", self.full(place), "ss", "-tnH", *options, *which.split()]).splitlines()

    def nstat(self, place, counter):
        """One of the kernel's counters, as nstat names it."""
        for line in self.shell(place, f"nstat -asz {counter}").splitlines():
            if line.startswith(counter):
                return int(line.split()[1])
        raise NotPlayed(f"nstat has no {counter}")

    def segments_sent_again(self, places=None):
        """What the kernels of these (all) namespaces retransmitted."""
        count = 0
        for name in places or self.names:
            names, values = [line.split() for line in self.shell(name, "grep ^Tcp: /proc/net/snmp").splitlines()]
            count += int(values[names.index("RetransSegs")])
        return count

    # tcpwitness

    def watch(self, place, *arguments, name=None):
        """Traces one namespace from now on; every hook is live when this returns. A second one there has a name of its own."""
        self.watches.append(self.watcher(self, place, name or place, arguments))
        return self.watches[-1]

    def must(self, condition, what):
        """A precondition of the judgement: the situation really came about."""
        if not condition:
            raise NotPlayed(what)

    def remove(self):
        """Whatever happened: nothing stays."""
        for watch in self.watches:
            watch.kill()
        for actor in self.actors:
            actor.end()
        for program in self.programs:
            end(program)
        for cgroup in self.cgroups:
            cgroup.remove()
        remove_namespaces(self.prefix)
        shutil.rmtree(self.folder, ignore_errors=True)


def end(program):
    if program.poll() is None:
        program.terminate()
        try:
            program.wait(2)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def remove_namespaces(prefix):
    for line in run(["ip", "netns", "list"], check=False).splitlines():
        name = line.split()[0]
        if not name.startswith(prefix + "-"):
            continue
        for pid in run(["ip", "netns", "pids", name], check=False).split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        run(["ip", "netns", "del", name], check=False)
