# SPDX-License-Identifier: Apache-2.0
"""Where a load runs: network namespaces of this process, so that nobody else's traffic passes the interfaces that are traced."""
import contextlib
import dataclasses
import os
import subprocess


@dataclasses.dataclass(frozen=True)
class Place:
    client: str  # network namespaces
    server: str  # the tracer runs here
    address: str  # the first of 32 of the server
    interface: str  # of the server

    def both_ends(self):
        return self.client == self.server

    def command(self, netns, arguments):
        """The arguments of a command that runs in the namespace, under the process id that it is started with."""
        return ["nsenter", f"--net=/run/netns/{netns}", *arguments]


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


@contextlib.contextmanager
def namespaces(*names):
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            settings = ["net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_max_tw_buckets=262144"]
            subprocess.run(["nsenter", f"--net=/run/netns/{name}", "sysctl", "-q", "-w", *settings], check=True)
        yield
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def loopback():
    name = f"tw-bench-{os.getpid()}"
    with namespaces(name):
        yield Place(client=name, server=name, address="127.0.0.1", interface="lo")


@contextlib.contextmanager
def veth():
    client, server = f"tw-bench-{os.getpid()}-c", f"tw-bench-{os.getpid()}-s"
    with namespaces(client, server):
        ip("link", "add", "twc", "netns", client, "type", "veth", "peer", "name", "tws", "netns", server)
        ip("-n", client, "addr", "add", "10.98.1.1/16", "dev", "twc")
        ip("-n", server, "addr", "add", "10.98.2.1/16", "dev", "tws")
        ip("-n", client, "link", "set", "twc", "up")
        ip("-n", server, "link", "set", "tws", "up")
        ip("-n", client, "route", "add", "10.98.3.0/24", "via", "10.98.2.1")
        ip("-n", server, "route", "add", "local", "10.98.3.0/24", "dev", "lo")  # every address of it is the server's
        yield Place(client=client, server=server, address="10.98.3.1", interface="tws")
