// SPDX-License-Identifier: Apache-2.0
// objects.hpp: the three BPF objects, loaded as the tracer loads them, for tests of the objects as such.
//
// Only the verifier sees the programs; nothing is attached. A program that this kernel refuses is left
// out and named in `refused`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tcpwitness/event_abi.h"
#include "tcpwitness/result.hpp"

struct bpf_object;

namespace tcpwitness::wire_test {

struct LoadedObject {
  std::string name{};
  std::shared_ptr<bpf_object> object{};
  std::map<std::string, std::string> refused{};
  std::map<std::string, std::uint32_t> instructions{};  // processed by the verifier, for each program
};

// kernel, wire and snapshot, with this configuration. types: a file with other types than the running kernel's.
Result<std::vector<LoadedObject>> load_objects(const tw_config& config, const std::string& types = "");

}  // namespace tcpwitness::wire_test
