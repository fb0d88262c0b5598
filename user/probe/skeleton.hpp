// SPDX-License-Identifier: Apache-2.0
// skeleton.hpp: a loaded BPF object, whatever its skeleton type.
//
// A program that the kernel refuses is switched off and the rest is loaded without it; why it was
// refused is kept.
#pragma once

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "probe/log.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

template <typename Skeleton>
struct SkeletonDestroy {
  void operator()(Skeleton* skeleton) const { Skeleton::destroy(skeleton); }
};
template <typename Skeleton>
using SkeletonPtr = std::unique_ptr<Skeleton, SkeletonDestroy<Skeleton>>;

// Program name to the reason why it is off.
using SwitchedOff = std::map<std::string, std::string>;

// configure(skeleton) sets rodata and maps on the opened object; programs in `off` are not loaded. types: a file with
// the kernel's types in place of the running kernel's ("").
template <typename Skeleton, typename Configure>
Result<SkeletonPtr<Skeleton>> load_skeleton(const std::string& object, SwitchedOff& off, Configure configure,
                                            const std::string& types = "") {
  bpf_object_open_opts options{};
  options.sz = sizeof(options);
  if (!types.empty()) options.btf_custom_path = types.c_str();
  for (;;) {
    SkeletonPtr<Skeleton> skeleton(Skeleton::open(&options));
    if (!skeleton) return failure("open the BPF object " + object, take_libbpf_log());
    configure(*skeleton);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj) {
      if (off.contains(bpf_program__name(program))) bpf_program__set_autoload(program, false);
    }
    const int error = Skeleton::load(skeleton.get());
    if (error == 0) {
      take_libbpf_log();
      return skeleton;
    }
    const std::string log = take_libbpf_log();
    if (error == -EMFILE || error == -ENFILE)
      return failure("load the BPF object " + object, std::strerror(-error), "raise ulimit -n (LimitNOFILE=)");
    const std::string refused = failed_program(log);
    keep_refusal(log);
    if (refused.empty() || off.contains(refused))
      return failure("load the BPF object " + object, verifier_tail(log).empty() ? log : refusal_in_words(log));
    off[refused] = refusal_in_words(log);
  }
}

}  // namespace tcpwitness
