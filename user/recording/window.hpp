// SPDX-License-Identifier: Apache-2.0
// window.hpp: the newest blocks of a recording, in memory: a short while until a comment can no longer come, or for
// the seconds of a flight recorder.
//
// First in, first out. Bytes are kept in large chunks that are used again; a block costs no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "tcpwitness/event.hpp"

namespace tcpwitness {

class Window {
 public:
  struct Entry {
    EventId id = 0;  // 0: no event
    TimeNs at = 0;   // when it came
    bool packet = false;
    std::uint16_t link_type = 0;  // of a packet
    std::uint32_t ifindex = 0;    // likewise
    std::span<const std::byte> block{};
  };

  // Copies the block. id: larger than all before it, or 0.
  void push(const Entry& entry);
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const Entry& front() const { return entries_.front(); }
  void pop();
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // Of a packet that is here. False: it is not.
  bool comment(EventId id, const std::string& text);
  // Of the packet in front; empty for none.
  [[nodiscard]] std::string take_comment();

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;
    std::size_t entries = 0;
  };
  std::span<std::byte> room(std::size_t bytes);

  std::deque<Chunk> chunks_;
  std::vector<Chunk> spare_;
  std::deque<Entry> entries_;
  std::unordered_map<EventId, std::string> comments_;
  std::size_t bytes_ = 0;
};

}  // namespace tcpwitness
