// SPDX-License-Identifier: Apache-2.0
// backlog.hpp: what the hooks wrote while nobody could decode it yet: during the attaching, while the sockets were
// listed. Bounded; beyond that the ring fills and counts what it loses.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "probe/tracer.hpp"
#include "source/ring.hpp"

namespace tcpwitness {

class Backlog {
 public:
  explicit Backlog(RingSource& ring) : ring_(ring) {}

  // Copies what is in the ring, as long as there is room.
  void take() {
    if (bytes_ >= bytes_at_most) return;
    RecordBatch batch;
    ring_.drain(batch);
    if (batch.places.empty()) return;
    bytes_ += batch.bytes.size();
    batches_.push_back(std::move(batch));
  }
  [[nodiscard]] bool empty() const { return batches_.empty(); }
  [[nodiscard]] std::size_t size() const { return batches_.size(); }
  [[nodiscard]] RecordBatch pop() {
    RecordBatch batch = std::move(batches_.front());
    batches_.pop_front();
    bytes_ -= batch.bytes.size();
    return batch;
  }

 private:
  static constexpr std::size_t bytes_at_most = std::size_t{256} << 20U;

  RingSource& ring_;
  std::deque<RecordBatch> batches_;
  std::size_t bytes_ = 0;
};

// What an iterator yields, copied.
using Records = std::vector<std::vector<std::byte>>;

// For an iterator: appends to `found`. The hooks go on while it is read.
[[nodiscard]] inline Tracer::OnRecord collect_in(Records& found, Backlog& backlog) {
  return [&found, &backlog](std::span<const std::byte> record) {
    found.emplace_back(record.begin(), record.end());
    if (found.size() % 1024 == 0) backlog.take();
  };
}

}  // namespace tcpwitness
