# SPDX-License-Identifier: Apache-2.0
"""A server that does everything by io_uring: accept, receive, send, close.

Reported: liburing users; tools that hook system calls see nothing of it.
Right: the connection belongs to the server's process.
"""
from field import *

need("cc")
SOURCE = r"""
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
static int ring; static unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_mask; static struct io_uring_sqe *sqes; static struct io_uring_cqe *cqes;
static int call(int op, int fd, void *buffer, unsigned size) {
  unsigned tail = *sq_tail, slot = tail & *sq_mask;
  struct io_uring_sqe *sqe = &sqes[slot];
  memset(sqe, 0, sizeof *sqe); sqe->opcode = op; sqe->fd = fd; sqe->addr = (unsigned long)buffer; sqe->len = size; sqe->flags = IOSQE_ASYNC;
  sq_array[slot] = slot; __atomic_store_n(sq_tail, tail + 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) < 0) return -1;
  unsigned head = *cq_head; int result = cqes[head & *cq_mask].res;
  __atomic_store_n(cq_head, head + 1, __ATOMIC_RELEASE);
  return result;
}
int main(void) {
  struct io_uring_params p; memset(&p, 0, sizeof p);
  if ((ring = syscall(SYS_io_uring_setup, 8, &p)) < 0) return 2;
  char *sq = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  char *cq = mmap(0, p.cq_off.cqes + p.cq_entries * sizeof *cqes, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
  sqes = mmap(0, p.sq_entries * sizeof *sqes, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
  sq_tail = (unsigned *)(sq + p.sq_off.tail); sq_mask = (unsigned *)(sq + p.sq_off.ring_mask); sq_array = (unsigned *)(sq + p.sq_off.array);
  cq_head = (unsigned *)(cq + p.cq_off.head); cq_mask = (unsigned *)(cq + p.cq_off.ring_mask); cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
  int s = socket(AF_INET, SOCK_STREAM, 0), one = 1; struct sockaddr_in a = {AF_INET, htons(7060), {0}, {0}};
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(s, (void *)&a, sizeof a) || listen(s, 8)) return 3;
  char data[100]; int c = call(IORING_OP_ACCEPT, s, 0, 0);
  if (c < 0) return 4;
  for (int n; (n = call(IORING_OP_RECV, c, data, sizeof data)) > 0;) call(IORING_OP_SEND, c, data, n);
  call(IORING_OP_CLOSE, c, 0, 0);
  return 0;
}
"""


def client():
    c = connect(B, 7060)
    for _ in range(3):
        c.sendall(b"hello")
        read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    path = lab.compiled("fld-uring", SOURCE)
    lab.watch("b")
    server = lab.program("b", path, port=7060)
    lab.actor("a", "fld-cli", client).result()
    lab.must(lab.output(server)[0] == 0, "the server failed")


expect = {"b": view(life(local=":7060", outcome="completed", process="fld-uring", role="passive", closed_by="peer", tx=15, rx=15))}
