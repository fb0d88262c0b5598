// SPDX-License-Identifier: Apache-2.0
// See objects.hpp. Log level 4 makes the verifier end its log with how many instructions it went
// through, for programs that it accepts as well.
#include "bpf/objects.hpp"

#include <bpf/libbpf.h>

#include <array>
#include <charconv>

#include "probe/log.hpp"
#include "probe/skeleton.hpp"
// After the ABI: the skeletons use its types.
#include "kernel.skel.h"
#include "snapshot.skel.h"
#include "wire.skel.h"

namespace tcpwitness::wire_test {
namespace {

constexpr std::uint32_t log_statistics = 4;  // BPF_LOG_STATS
constexpr std::size_t log_bytes = 4096;

std::uint32_t processed(const std::string& log) {
  const std::string before = "processed ";
  const auto at = log.find(before);
  std::uint32_t count = 0;
  if (at != std::string::npos) std::from_chars(log.data() + at + before.size(), log.data() + log.size(), count);
  return count;
}

template <typename Skeleton>
Result<LoadedObject> load(const std::string& name, const tw_config& config, const std::string& types) {
  std::map<std::string, std::string> logs;
  SwitchedOff off;
  auto loaded = load_skeleton<Skeleton>(
      name, off,
      [&](Skeleton& skeleton) {
        skeleton.rodata->config = config;
        bpf_program* program = nullptr;
        bpf_object__for_each_program(program, skeleton.obj) {
          if (off.contains(bpf_program__name(program))) continue;
          std::string& log = logs[bpf_program__name(program)];
          log.assign(log_bytes, '\0');
          bpf_program__set_log_buf(program, log.data(), log.size());
          bpf_program__set_log_level(program, log_statistics);
        }
      },
      types);
  if (!loaded) return std::unexpected(loaded.error());
  LoadedObject object{.name = name, .refused = off};
  for (const auto& [program, log] : logs) {
    if (!off.contains(program)) object.instructions[program] = processed(log);
  }
  Skeleton* const skeleton = loaded->release();
  object.object = std::shared_ptr<bpf_object>(skeleton->obj, [skeleton](bpf_object*) { Skeleton::destroy(skeleton); });
  return object;
}

}  // namespace

Result<std::vector<LoadedObject>> load_objects(const tw_config& config, const std::string& types) {
  capture_libbpf_log();
  std::vector<LoadedObject> objects;
  for (auto* const one : {load<kernel_bpf>, load<wire_bpf>, load<snapshot_bpf>}) {
    constexpr std::array names{"kernel", "wire", "snapshot"};
    auto loaded = one(names.at(objects.size()), config, types);
    if (!loaded) return std::unexpected(loaded.error());
    objects.push_back(std::move(*loaded));
  }
  return objects;
}

}  // namespace tcpwitness::wire_test
