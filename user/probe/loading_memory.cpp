// SPDX-License-Identifier: Apache-2.0
#include "probe/loading_memory.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <thread>

namespace tcpwitness {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20U;
constexpr std::size_t at_once = std::size_t{24} << 20U;  // two objects side by side, each with a file and its copy
constexpr std::size_t huge_pages = at_once - huge_page;  // of them whole ones, wherever it begins
// mallopt(3): the defaults; the largest threshold that M_MMAP_THRESHOLD takes.
constexpr int usual_threshold = 128 * 1024;
constexpr int largest_threshold = 32 << 20;
constexpr int usual_arenas_per_cpu = 8;

}  // namespace

// One arena: what the thread of the wire's programs gives back is in the same heap.
LoadingMemory::LoadingMemory() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, largest_threshold);
  ::mallopt(M_TRIM_THRESHOLD, 2 * largest_threshold);
  std::size_t space = at_once;
  void* piece = std::malloc(space);
  void* aligned = piece;
  if (piece != nullptr && std::align(huge_page, huge_pages, aligned, space) != nullptr &&
      ::madvise(aligned, huge_pages, MADV_HUGEPAGE) == 0)  // else a kernel without them
    huge_ = aligned;
  std::free(piece);
}

// What stays of it is small and long-lived: no huge page for that.
LoadingMemory::~LoadingMemory() {
  if (huge_ != nullptr) ::madvise(huge_, huge_pages, MADV_NOHUGEPAGE);
  ::mallopt(M_ARENA_MAX, usual_arenas_per_cpu * static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  ::mallopt(M_MMAP_THRESHOLD, usual_threshold);
  ::mallopt(M_TRIM_THRESHOLD, usual_threshold);
  ::malloc_trim(0);
}

}  // namespace tcpwitness
