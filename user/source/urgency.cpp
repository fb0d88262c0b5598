// SPDX-License-Identifier: Apache-2.0
#include "source/urgency.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <latch>

namespace tcpwitness {
namespace {

void set_nice(int thread, int nice) { ::setpriority(PRIO_PROCESS, static_cast<id_t>(thread), nice); }

}  // namespace

Urgency::Urgency(RingSource& ring) : ring_(ring), reader_(::gettid()) {}

Result<std::unique_ptr<Urgency>> Urgency::of_this_thread(RingSource& ring, int ring_map_fd,
                                                         std::function<void()> in_guard) {
  std::unique_ptr<Urgency> urgency(new Urgency(ring));
  urgency->epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  urgency->stop_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  // Edge-triggered: the ring's first record, or one that finds it filled.
  epoll_event filled{.events = EPOLLIN | EPOLLET, .data = {.fd = ring_map_fd}};
  epoll_event stopped{.events = EPOLLIN, .data = {.fd = urgency->stop_.get()}};
  const int epoll = urgency->epoll_.get();
  if (!urgency->stop_.valid() || epoll < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, ring_map_fd, &filled) != 0 ||
      ::epoll_ctl(epoll, EPOLL_CTL_ADD, urgency->stop_.get(), &stopped) != 0)
    return failure("watch the ring buffer", std::strerror(errno));
  set_nice(urgency->reader_, raised_nice);
  // What it does first it may not be allowed to do any more once the caller goes on (seccomp).
  std::latch begun(1);
  urgency->guard_ = std::jthread([it = urgency.get(), begin = std::move(in_guard), &begun] {
    begin();
    begun.count_down();
    it->watch();
  });
  begun.wait();
  return urgency;
}

Urgency::~Urgency() {
  if (!guard_.joinable()) return;
  const std::uint64_t one = 1;
  // It cannot fail: the counter is 0.
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
  guard_.join();
}

void Urgency::watch() {
  set_nice(0, raised_nice);
  for (;;) {
    epoll_event event{};
    const int count = ::epoll_wait(epoll_.get(), &event, 1, -1);
    if (count < 0 && errno != EINTR) return;
    if (count == 1 && event.data.fd == stop_.get()) return;
    const RingMemory& memory = ring_.memory();
    if (memory.waiting() <= memory.bytes() / 4) continue;
    // Each time, and in this order: the reader may just be lowering itself, and then it does so again.
    set_nice(reader_, raised_nice);
    raised_.store(true, std::memory_order_relaxed);
    ring_.hurry();
  }
}

void Urgency::looked() {
  const RingMemory& memory = ring_.memory();
  if (!raised() || memory.waiting() > memory.bytes() / 16) return;
  raised_.store(false, std::memory_order_relaxed);
  set_nice(reader_, ordinary_nice);
}

}  // namespace tcpwitness
