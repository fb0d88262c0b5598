#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real connections to record: TCP of this kernel, on loopback or between two namespaces.

    load.py healthy|troubled                    both ends here, on 127.0.0.1 and ::1
    load.py serve ADDRESS PORT COUNT            prints "ready", answers COUNT connections
    load.py ask ADDRESS PORT COUNT
"""

import os
import signal
import socket
import struct
import sys
import threading
import time


def receive_all(connection):
    total = 0
    while True:
        data = connection.recv(65536)
        if not data:
            return total
        total += len(data)


def answer(listener, count, size=50_000):
    for _ in range(count):
        connection, _ = listener.accept()
        receive_all(connection)
        connection.sendall(b"a" * size)
        connection.close()


def ask(address, port, count):
    for size in range(count):
        with socket.create_connection((address, port)) as connection:
            connection.sendall(b"q" * (100 + 20000 * size))
            connection.shutdown(socket.SHUT_WR)
            receive_all(connection)


def listen(address, port=0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen()
    return listener


def healthy():
    for address in ("127.0.0.1", "::1"):
        listener = listen(address)
        server = threading.Thread(target=answer, args=(listener, 3))
        server.start()
        ask(address, listener.getsockname()[1], 3)
        server.join()


def large():
    """More than 64 KiB in a segment, which loopback takes apart."""
    listener = listen("127.0.0.1")
    server = threading.Thread(target=answer, args=(listener, 8, 200_000))
    server.start()
    ask("127.0.0.1", listener.getsockname()[1], 8)
    server.join()


def killed_with_unread_data(listener):
    """Its RST is the kernel's: the process is killed while data waits for it."""
    child = os.fork()
    if child == 0:
        connection, _ = listener.accept()
        signal.pause()
        os._exit(connection.fileno())
    with socket.create_connection(listener.getsockname()[:2]) as client:
        client.sendall(b"unread")
        time.sleep(0.3)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        try:
            client.recv(1)
        except ConnectionResetError:
            pass


def troubled():
    killed_with_unread_data(listen("127.0.0.1"))
    refused = listen("127.0.0.1")
    port = refused.getsockname()[1]
    refused.close()
    try:
        socket.create_connection(("127.0.0.1", port))
    except ConnectionRefusedError:
        pass
    listener = listen("127.0.0.1")
    with socket.create_connection(listener.getsockname()) as client:  # aborted by its own process
        server, _ = listener.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    healthy()


def main():
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "healthy":
        healthy()
    elif what == "large":
        large()
    elif what == "troubled":
        troubled()
    elif what == "serve":
        listener = listen(arguments[0], int(arguments[1]))
        print("ready", flush=True)
        answer(listener, int(arguments[2]))
    elif what == "ask":
        ask(arguments[0], int(arguments[1]), int(arguments[2]))


main()
