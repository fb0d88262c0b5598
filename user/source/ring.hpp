// SPDX-License-Identifier: Apache-2.0
// ring.hpp: the BPF ring buffer as a source of records, drained on a timer.
//
// Producers do not wake us. Each drain copies everything out first, so that the ring is free again
// before a single record is decoded. A producer that finds the ring half full wakes wait() early.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

// Copied records, one after the other.
struct RecordBatch {
  std::vector<std::byte> bytes;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // offset and size in bytes

  template <typename Take>
  void for_each(Take take) const {
    for (const auto& [offset, size] : places) take(std::span(bytes).subspan(offset, size));
  }
  void clear() {
    bytes.clear();
    places.clear();
  }
};

class RingSource {
 public:
  static Result<std::unique_ptr<RingSource>> open(int ring_map_fd);
  ~RingSource();
  RingSource(const RingSource&) = delete;
  RingSource& operator=(const RingSource&) = delete;

  // Such a descriptor ends a wait too when it is readable.
  Result<void> watch(int fd);

  // Sleeps for `at_most`, less when a producer or a watched descriptor wakes us. True: `fd` is readable.
  [[nodiscard]] bool wait(std::chrono::milliseconds at_most, int fd);

  // Appends a copy of all that is there.
  void drain(RecordBatch& batch);

 private:
  RingSource();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
