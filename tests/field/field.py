# SPDX-License-Identifier: Apache-2.0
"""All that the file of a situation needs: `from field import *`."""
# flake8: noqa
import ctypes
import errno
import os
import signal
import socket
import struct
import time

from judge import life, view
from lab import NotPlayed, Signal, until
from needs import Skip, need
from programs import curl, haproxy, nginx, node, postgres, psql, read_back, redis, worker_of

# Linux's numbers that Python's socket module lacks.
IPPROTO_MPTCP = 262
TCP_DEFER_ACCEPT, TCP_REPAIR, TCP_FASTOPEN = 9, 19, 23
MSG_FASTOPEN, MSG_ZEROCOPY, SO_ZEROCOPY, SO_TIMESTAMPING = 0x20000000, 0x4000000, 60, 37
SO_ATTACH_FILTER = 26

A, B, A6, B6 = "10.9.0.1", "10.9.0.2", "fd09::1", "fd09::2"


def listen(port, address="", backlog=16, family=socket.AF_INET, protocol=0):
    s = socket.socket(family, socket.SOCK_STREAM, protocol)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(backlog)
    s.settimeout(30)
    return s


def listen_beside_others(port, timeout):
    """Several sockets on one port (SO_REUSEPORT); timeout: seconds, of accept()."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("", port))
    s.listen(16)
    s.settimeout(timeout)
    return s


def connect(address, port, source=None, timeout=20):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(timeout)
    if source:
        s.bind(source)
    s.connect((address, port))
    return s


def accepted(listener):
    s, _ = listener.accept()
    s.settimeout(30)
    return s


def read_all(s, size=None):
    """Until the peer's FIN, or so many bytes."""
    data = b""
    while size is None or len(data) < size:
        chunk = s.recv(65536 if size is None else size - len(data))
        if not chunk:
            break
        data += chunk
    return data


def error_of(func, *arguments):
    """The errno that a call fails with; 0 where it does not fail."""
    try:
        func(*arguments)
        return 0
    except socket.timeout:
        return errno.ETIMEDOUT
    except OSError as error:
        return error.errno


def drip(s, piece, times):
    """Sends a piece every 50 ms, until that fails. The errno that it fails with; 0 where it does not."""
    for _ in range(times):
        if failed := error_of(s.sendall, piece):
            return failed
        time.sleep(0.05)
    return 0


def slow_download(port):
    """Serves one download, a piece at a time. What ended it: an errno, or None."""
    c = accepted(listen(port))
    c.recv(1000)
    c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n")
    failed = drip(c, b"x" * 1000, 60)
    c.close()
    return failed


def spin(seconds):
    """Keeps a processor busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def abort(s):
    """close() with SO_LINGER 0: a RST instead of a FIN."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def drop_all(s):
    """From now on every segment for this socket is dropped by a socket filter."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))
