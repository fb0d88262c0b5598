// SPDX-License-Identifier: Apache-2.0
#include "source/ring.hpp"

#include <bpf/bpf.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "values/unique_fd.hpp"

namespace tcpwitness {

Result<RingMemory> RingMemory::map(int ring_map_fd) {
  const auto failed = [] { return failure("map the ring buffer", std::strerror(errno)); };
  bpf_map_info info{};
  __u32 info_bytes = sizeof info;
  if (bpf_obj_get_info_by_fd(ring_map_fd, &info, &info_bytes) != 0) return failed();
  RingMemory memory;
  memory.page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  memory.size_ = info.max_entries;
  void* page = ::mmap(nullptr, memory.page_, PROT_READ | PROT_WRITE, MAP_SHARED, ring_map_fd, 0);
  if (page == MAP_FAILED) return failed();
  memory.consumer_page_ = page;
  void* rest = ::mmap(nullptr, memory.page_ + 2 * memory.size_, PROT_READ, MAP_SHARED, ring_map_fd,
                      static_cast<off_t>(memory.page_));
  if (rest == MAP_FAILED) return failed();
  memory.rest_ = rest;
  memory.consumed_ = static_cast<std::uint64_t*>(memory.consumer_page_);
  memory.produced_ = static_cast<std::uint64_t*>(memory.rest_);
  memory.data_ = static_cast<std::byte*>(memory.rest_) + memory.page_;
  return memory;
}

RingMemory::RingMemory(RingMemory&& other) noexcept
    : consumer_page_(std::exchange(other.consumer_page_, nullptr)),
      rest_(std::exchange(other.rest_, nullptr)),
      page_(other.page_),
      size_(other.size_),
      consumed_(other.consumed_),
      produced_(other.produced_),
      data_(other.data_) {}

RingMemory::~RingMemory() {
  if (consumer_page_ != nullptr) ::munmap(consumer_page_, page_);
  if (rest_ != nullptr) ::munmap(rest_, page_ + 2 * size_);
}

struct RingSource::Impl {
  UniqueFd awake;   // what ends a wait
  UniqueFd asleep;  // and what ends a sleep: the same, and a record
  UniqueFd hurried;

  Result<void> add(int fd, std::uint32_t events, bool to_awake = true) {
    epoll_event wanted{.events = events, .data = {.fd = fd}};
    if ((to_awake && ::epoll_ctl(awake.get(), EPOLL_CTL_ADD, fd, &wanted) != 0) ||
        ::epoll_ctl(asleep.get(), EPOLL_CTL_ADD, fd, &wanted) != 0)
      return failure("wait for the ring buffer", std::strerror(errno));
    return {};
  }

  [[nodiscard]] bool wait(const UniqueFd& epoll, std::chrono::milliseconds at_most, int fd) const {
    std::array<epoll_event, 4> ready{};
    const int count = ::epoll_wait(epoll.get(), ready.data(), ready.size(), static_cast<int>(at_most.count()));
    bool readable = false;
    for (int i = 0; i < count; i++) {
      const int which = ready.at(static_cast<std::size_t>(i)).data.fd;
      readable = readable || which == fd;
      std::uint64_t times = 0;
      if (which == hurried.get()) static_cast<void>(::read(which, &times, sizeof times));
    }
    return readable;
  }
};

RingSource::RingSource(RingMemory memory) : memory_(std::move(memory)), impl_(std::make_unique<Impl>()) {}
RingSource::~RingSource() = default;

Result<std::unique_ptr<RingSource>> RingSource::open(int ring_map_fd) {
  auto memory = RingMemory::map(ring_map_fd);
  if (!memory) return std::unexpected(memory.error());
  std::unique_ptr<RingSource> source(new RingSource(std::move(*memory)));
  auto& impl = *source->impl_;
  impl.awake = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  impl.asleep = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  impl.hurried = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!impl.awake.valid() || !impl.asleep.valid() || !impl.hurried.valid())
    return failure("wait for the ring buffer", std::strerror(errno), "raise ulimit -n (LimitNOFILE=)");
  if (auto added = impl.add(impl.hurried.get(), EPOLLIN); !added) return std::unexpected(added.error());
  // Edge-triggered: not a record that waits, only one that is written.
  if (auto added = impl.add(ring_map_fd, EPOLLIN | EPOLLET, false); !added) return std::unexpected(added.error());
  return source;
}

Result<void> RingSource::watch(int fd, Ends ends) {
  const std::uint32_t once = ends == Ends::becomes_readable ? std::uint32_t{EPOLLET} : 0;
  return impl_->add(fd, EPOLLIN | once);
}

bool RingSource::wait(std::chrono::milliseconds at_most, int fd) { return impl_->wait(impl_->awake, at_most, fd); }

bool RingSource::sleep(std::chrono::milliseconds at_most, int fd) {
  // A producer looks at our position after its record is complete: it sees that we have read all before it, and wakes
  // us, or we see that it has begun one.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (memory_.waiting() != 0) return wait(std::chrono::milliseconds(1), fd);
  return impl_->wait(impl_->asleep, at_most, fd);
}

void RingSource::hurry() {
  const std::uint64_t once = 1;
  static_cast<void>(::write(impl_->hurried.get(), &once, sizeof once));
}

void RingSource::drain(RecordBatch& batch) {
  memory_.read(memory_.written(), [&](std::span<const std::byte> record) {
    batch.add(record);
    return true;
  });
}

}  // namespace tcpwitness
