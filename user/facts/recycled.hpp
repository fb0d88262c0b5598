// SPDX-License-Identifier: Apache-2.0
// recycled.hpp: objects that come and go with each connection take the memory of those before them.
//
// The allocator's own cache of this kind holds 7 of a size; connections that end together are more, and each miss costs
// as much as judging the connection does.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "values/prefetch.hpp"

namespace tcpwitness {

// Base of a class T that is made by `new`. Each thread keeps the memory of at most `most` of them.
template <typename T>
class Recycled {
 public:
  static void* operator new(std::size_t size) {
    auto& kept = spare().memory;
    if (kept.empty()) return ::operator new(size);
    void* memory = kept.back();
    kept.pop_back();
    if (!kept.empty()) prefetch(static_cast<const T*>(kept.back()));  // for the next one
    return memory;
  }
  static void operator delete(void* memory) noexcept {
    auto& kept = spare().memory;
    if (kept.size() == most) {
      ::operator delete(memory);
    } else {
      kept.push_back(memory);
    }
  }

 private:
  static constexpr std::size_t most = 4096;
  struct Spare {
    std::vector<void*> memory;
    Spare() { memory.reserve(most); }
    Spare(const Spare&) = delete;
    Spare& operator=(const Spare&) = delete;
    ~Spare() {
      for (void* one : memory) ::operator delete(one);
    }
  };
  static Spare& spare() {
    thread_local Spare spare;
    return spare;
  }

  friend T;
  Recycled() = default;
};

}  // namespace tcpwitness
