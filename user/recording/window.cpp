// SPDX-License-Identifier: Apache-2.0
#include "recording/window.hpp"

#include <algorithm>
#include <utility>

namespace tcpwitness {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{256} << 10U;
constexpr std::size_t spare_chunks = 4;

}  // namespace

std::span<std::byte> Window::room(std::size_t bytes) {
  if (chunks_.empty() || chunks_.back().size - chunks_.back().used < bytes) {
    if (bytes <= chunk_bytes && !spare_.empty()) {
      chunks_.push_back(std::move(spare_.back()));
      spare_.pop_back();
    } else {
      const std::size_t size = std::max(bytes, chunk_bytes);
      chunks_.push_back(Chunk{std::make_unique_for_overwrite<std::byte[]>(size), size});
    }
  }
  Chunk& chunk = chunks_.back();
  const std::span<std::byte> place(chunk.bytes.get() + chunk.used, bytes);
  chunk.used += bytes;
  ++chunk.entries;
  return place;
}

void Window::push(const Entry& entry) {
  const std::span<std::byte> place = room(entry.block.size());
  std::ranges::copy(entry.block, place.begin());
  entries_.push_back(entry);
  entries_.back().block = place;
  bytes_ += place.size();
}

void Window::pop() {
  const Entry& entry = entries_.front();
  bytes_ -= entry.block.size();
  if (entry.id != 0 && !comments_.empty()) comments_.erase(entry.id);
  entries_.pop_front();
  Chunk& chunk = chunks_.front();
  if (--chunk.entries > 0) return;
  if (chunks_.size() == 1) {
    chunk.used = 0;
    return;
  }
  chunk.used = 0;
  if (spare_.size() < spare_chunks && chunk.size == chunk_bytes) spare_.push_back(std::move(chunk));
  chunks_.pop_front();
}

bool Window::comment(EventId id, const std::string& text) {
  // Entries without a number stand between: from the place where the numbers have not reached it.
  std::size_t low = 0;
  std::size_t high = entries_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    std::size_t numbered = middle;
    while (numbered < high && entries_[numbered].id == 0) ++numbered;
    if (numbered == high || entries_[numbered].id > id) {
      high = middle;
    } else if (entries_[numbered].id < id) {
      low = numbered + 1;
    } else {
      if (!entries_[numbered].packet) return false;
      std::string& all = comments_[id];
      all += (all.empty() ? "" : "\n") + text;
      return true;
    }
  }
  return false;
}

std::string Window::take_comment() {
  if (comments_.empty()) return {};
  const auto found = comments_.find(entries_.front().id);
  return found != comments_.end() ? std::exchange(found->second, {}) : std::string{};
}

}  // namespace tcpwitness
