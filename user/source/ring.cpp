// SPDX-License-Identifier: Apache-2.0
#include "source/ring.hpp"

#include <bpf/libbpf.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "probe/unique_fd.hpp"

namespace tcpwitness {
namespace {

struct RingFree {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

}  // namespace

struct RingSource::Impl {
  std::unique_ptr<ring_buffer, RingFree> ring;
  UniqueFd epoll;
  int signal_fd = -1;
  std::vector<std::byte> bytes;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // offset and size in bytes
  std::vector<std::span<const std::byte>> records;

  static int copy_out(void* context, void* data, std::size_t size) {
    auto& self = *static_cast<Impl*>(context);
    const std::size_t offset = self.bytes.size();
    const auto* from = static_cast<const std::byte*>(data);
    self.bytes.insert(self.bytes.end(), from, from + size);
    self.bytes.resize((self.bytes.size() + 7U) & ~std::size_t{7U});
    self.places.emplace_back(offset, size);
    return 0;
  }
};

RingSource::RingSource() : impl_(std::make_unique<Impl>()) {}
RingSource::~RingSource() = default;

Result<std::unique_ptr<RingSource>> RingSource::open(int ring_map_fd, int signal_fd) {
  std::unique_ptr<RingSource> source(new RingSource());
  auto& impl = *source->impl_;
  impl.ring.reset(ring_buffer__new(ring_map_fd, Impl::copy_out, &impl, nullptr));
  if (!impl.ring) return failure("map the ring buffer", std::strerror(errno));
  impl.epoll = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (!impl.epoll.valid()) return failure("wait for the ring buffer", std::strerror(errno));
  epoll_event wanted{};
  // Edge-triggered: waiting data alone must not end the wait, only a producer's forced wake-up.
  wanted.events = EPOLLIN | EPOLLET;
  wanted.data.fd = ring_map_fd;
  if (epoll_ctl(impl.epoll.get(), EPOLL_CTL_ADD, ring_map_fd, &wanted) != 0)
    return failure("wait for the ring buffer", std::strerror(errno));
  if (signal_fd >= 0) {
    impl.signal_fd = signal_fd;
    wanted.events = EPOLLIN;
    wanted.data.fd = signal_fd;
    if (epoll_ctl(impl.epoll.get(), EPOLL_CTL_ADD, signal_fd, &wanted) != 0)
      return failure("wait for signals", std::strerror(errno));
  }
  return source;
}

bool RingSource::wait(std::chrono::milliseconds at_most) {
  std::array<epoll_event, 2> ready{};
  const int count = epoll_wait(impl_->epoll.get(), ready.data(), ready.size(), static_cast<int>(at_most.count()));
  for (int i = 0; i < count; i++) {
    if (ready.at(static_cast<std::size_t>(i)).data.fd == impl_->signal_fd && impl_->signal_fd >= 0) return true;
  }
  return false;
}

std::span<const std::span<const std::byte>> RingSource::drain() {
  impl_->bytes.clear();
  impl_->places.clear();
  impl_->records.clear();
  ring_buffer__consume(impl_->ring.get());
  for (const auto& [offset, size] : impl_->places)
    impl_->records.push_back(std::span(impl_->bytes).subspan(offset, size));
  return impl_->records;
}

}  // namespace tcpwitness
