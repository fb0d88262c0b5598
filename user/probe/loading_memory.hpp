// SPDX-License-Identifier: Apache-2.0
// loading_memory.hpp: memory for the kernel's type information, which each BPF object that is loaded reads anew.
//
// libbpf reads 5 MB, copies them, and drops both, three times at a start. With malloc()'s usual settings each of these
// is mapped and unmapped, and each of its 1,300 pages is a page fault (docs/cost.md, "Until `ready`"). While
// this lives, large pieces come from the heap, in huge pages where the kernel has them, and what one object gives back
// the next one takes. Then all that is free goes back to the kernel.
#pragma once

namespace tcpwitness {

class LoadingMemory {
 public:
  LoadingMemory();
  ~LoadingMemory();
  LoadingMemory(const LoadingMemory&) = delete;
  LoadingMemory& operator=(const LoadingMemory&) = delete;

 private:
  void* huge_ = nullptr;
};

}  // namespace tcpwitness
