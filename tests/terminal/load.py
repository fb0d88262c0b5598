# SPDX-License-Identifier: Apache-2.0
"""load.py N [NAME]: N connections over loopback, 1,000 bytes there and 100 back, and one that goes on until a line comes."""
import ctypes
import socket
import sys
import threading


def receive(connection, count):
    while count > 0:
        got = connection.recv(count)
        if not got:
            break
        count -= len(got)


def serve(listener, count):
    for _ in range(count):
        connection, _ = listener.accept()
        receive(connection, 1000)
        connection.sendall(b"a" * 100)
        connection.recv(1)
        connection.close()


def main():
    count = int(sys.argv[1])
    if len(sys.argv) > 2:
        ctypes.CDLL(None).prctl(15, sys.argv[2].encode())  # PR_SET_NAME
    listener = socket.create_server(("127.0.0.1", 7777), backlog=64)
    server = threading.Thread(target=serve, args=(listener, count))
    server.start()
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", 7777)) as client:
            client.sendall(b"r" * 1000)
            receive(client, 100)
    server.join()
    client = socket.create_connection(("127.0.0.1", 7777))
    accepted, _ = listener.accept()
    client.sendall(b"x" * 10)
    receive(accepted, 10)
    accepted.sendall(b"y" * 20)
    receive(client, 20)
    print("played", flush=True)
    sys.stdin.readline()
    client.close()
    accepted.recv(1)
    accepted.close()
    sys.stdin.readline()


main()
