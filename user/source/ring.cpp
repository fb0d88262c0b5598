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
  RecordBatch* batch = nullptr;  // of the drain that runs

  static int copy_out(void* context, void* data, std::size_t size) {
    auto& batch = *static_cast<Impl*>(context)->batch;
    const std::size_t offset = batch.bytes.size();
    const auto* from = static_cast<const std::byte*>(data);
    batch.bytes.insert(batch.bytes.end(), from, from + size);
    batch.bytes.resize((batch.bytes.size() + 7U) & ~std::size_t{7U});
    batch.places.emplace_back(offset, size);
    return 0;
  }
};

RingSource::RingSource() : impl_(std::make_unique<Impl>()) {}
RingSource::~RingSource() = default;

Result<std::unique_ptr<RingSource>> RingSource::open(int ring_map_fd) {
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
  return source;
}

Result<void> RingSource::watch(int fd) {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = fd;
  if (epoll_ctl(impl_->epoll.get(), EPOLL_CTL_ADD, fd, &wanted) != 0)
    return failure("wait for signals and interfaces", std::strerror(errno));
  return {};
}

bool RingSource::wait(std::chrono::milliseconds at_most, int fd) {
  std::array<epoll_event, 4> ready{};
  const int count = epoll_wait(impl_->epoll.get(), ready.data(), ready.size(), static_cast<int>(at_most.count()));
  for (int i = 0; i < count; i++) {
    if (ready.at(static_cast<std::size_t>(i)).data.fd == fd) return true;
  }
  return false;
}

void RingSource::drain(RecordBatch& batch) {
  impl_->batch = &batch;
  ring_buffer__consume(impl_->ring.get());
}

}  // namespace tcpwitness
