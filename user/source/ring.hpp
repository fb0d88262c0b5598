// SPDX-License-Identifier: Apache-2.0
// ring.hpp: the BPF ring buffer as a source of records, read on a timer and in slices.
//
// Who waits here is not woken by records, who sleeps here is woken by the first one. Records are read where they lie;
// the producers' room grows once a slice, not once a record, for each look at our position costs them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "tcpwitness/result.hpp"
#include "values/prefetch.hpp"

namespace tcpwitness {

// Copied records, one after the other.
struct RecordBatch {
  std::vector<std::byte> bytes;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // offset and size in bytes

  template <typename Take>
  void for_each(Take take) const {
    for (const auto& [offset, size] : places) take(std::span(bytes).subspan(offset, size));
  }
  void add(std::span<const std::byte> record) {
    const std::size_t offset = bytes.size();
    bytes.insert(bytes.end(), record.begin(), record.end());
    bytes.resize((bytes.size() + 7U) & ~std::size_t{7U});
    places.emplace_back(offset, record.size());
  }
};

// The ring's memory: two positions that only grow, and the data, mapped twice in a row so that no record is in pieces
// (kernel/bpf/ringbuf.c). Of one consumer.
class RingMemory {
 public:
  static Result<RingMemory> map(int ring_map_fd);
  RingMemory(RingMemory&& other) noexcept;
  RingMemory& operator=(RingMemory&&) = delete;
  ~RingMemory();

  [[nodiscard]] std::size_t bytes() const { return size_; }
  // Up to here records have been reserved.
  [[nodiscard]] std::uint64_t written() const { return std::atomic_ref(*produced_).load(std::memory_order_acquire); }
  // Up to here their room has been given back.
  [[nodiscard]] std::uint64_t read_to() const { return std::atomic_ref(*consumed_).load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t waiting() const {
    const std::uint64_t from = read_to();  // first: the reader goes on meanwhile, and never beyond what is written
    return written() - from;
  }

  // Gives the records before `until` to take(), as long as it returns true and there is none that a producer still
  // writes; then gives their room back. True: there are more before `until` that can be read now.
  template <typename Take>
  bool read(std::uint64_t until, Take take) {
    std::uint64_t at = read_to();
    bool more = true;
    bool go_on = true;
    while (go_on && (more = at < until)) {
      auto* const header = reinterpret_cast<std::uint32_t*>(data_ + (at & (size_ - 1)));
      const std::uint32_t length = std::atomic_ref(*header).load(std::memory_order_acquire);
      if ((more = (length & busy) == 0); !more) break;
      const std::size_t size = length & ~(busy | discarded);
      at += (size + header_bytes + 7U) & ~std::uint64_t{7U};
      if (at < until) prefetch(reinterpret_cast<const Ahead*>(data_ + (at & (size_ - 1))));
      if ((length & discarded) != 0) continue;
      go_on = take(std::span(reinterpret_cast<const std::byte*>(header) + header_bytes, size));
    }
    std::atomic_ref(*consumed_).store(at, std::memory_order_release);
    return more && at < until;
  }

 private:
  static constexpr std::uint32_t busy = 1U << 31U;       // BPF_RINGBUF_BUSY_BIT
  static constexpr std::uint32_t discarded = 1U << 30U;  // BPF_RINGBUF_DISCARD_BIT
  static constexpr std::size_t header_bytes = 8;         // BPF_RINGBUF_HDR_SZ
  // Another CPU has written it: the next record, or as much of it as most have.
  using Ahead = std::array<std::byte, 896>;

  RingMemory() = default;
  void* consumer_page_ = nullptr;
  void* rest_ = nullptr;  // the producers' page, and the data twice
  std::size_t page_ = 0;
  std::size_t size_ = 0;
  std::uint64_t* consumed_ = nullptr;
  std::uint64_t* produced_ = nullptr;
  std::byte* data_ = nullptr;
};

class RingSource {
 public:
  static Result<std::unique_ptr<RingSource>> open(int ring_map_fd);
  ~RingSource();
  RingSource(const RingSource&) = delete;
  RingSource& operator=(const RingSource&) = delete;

  // Such a descriptor ends a wait too: when it is readable, or (once) when it becomes so.
  enum class Ends : std::uint8_t { readable, becomes_readable };
  Result<void> watch(int fd, Ends ends = Ends::readable);

  // Waits for `at_most`, less where a watched descriptor or hurry() ends it. True: `fd` is readable.
  [[nodiscard]] bool wait(std::chrono::milliseconds at_most, int fd);
  // Likewise, and the next record ends it.
  [[nodiscard]] bool sleep(std::chrono::milliseconds at_most, int fd);
  // From another thread: ends the wait that runs, or the next one.
  void hurry();

  [[nodiscard]] RingMemory& memory() { return memory_; }

  // Appends a copy of all that is there.
  void drain(RecordBatch& batch);

 private:
  explicit RingSource(RingMemory memory);
  RingMemory memory_;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
