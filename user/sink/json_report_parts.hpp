// SPDX-License-Identifier: Apache-2.0
// json_report_parts.hpp: what the objects of -o json are made of: json.cpp has the short ones, json_life.cpp a
// connection, json_entries.cpp the entries of a timeline.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sink/json_parts.hpp"
#include "sink/views/story.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

inline void begin_report(JsonWriter& json, std::string_view type, TimeNs ts_ns) {
  json.plain_field("type", type);
  json.field("ts_ns", ts_ns);
}

inline void put_nat(JsonWriter& json, const std::optional<Flow>& nat) {
  if (!nat) return;
  json.key("nat");
  json.begin_object();
  put_flow(json, *nat);
  json.end_object();
}

// Always the same three fields: null is "not known", and pid_source is "unknown" then.
inline void put_process(JsonWriter& json, const Process& process) {
  put_pid(json, process);
  json.plain_field("pid_source", name(process.source));
}

inline void put_process_if_known(JsonWriter& json, const Process& process) {
  if (process.pid != 0) put_process(json, process);
}

inline void put_error(JsonWriter& json, int error) {
  json.field("errno", error);
  json.field("error", errno_name(error));
}

template <typename T>
[[gnu::always_inline]] inline void put_nonzero(JsonWriter& json, std::string_view key, const T& content) {
  if (content != T{}) json.field(key, content);
}

template <typename T>
[[gnu::always_inline]] inline void put_optional(JsonWriter& json, std::string_view key,
                                                const std::optional<T>& content) {
  if (content) json.field(key, *content);
}

inline void put_peer(JsonWriter& json, const std::optional<PeerEnd>& peer) {
  if (!peer) return;
  json.key("peer");
  json.begin_object();
  json.field("conn", peer->conn);
  if (peer->pid != 0) {
    json.field("pid", peer->pid);
    json.field("comm", peer->comm);
  }
  json.end_object();
}

// story: of `explain`; null elsewhere.
void put_life(JsonWriter& json, const Life& life, const std::vector<Sentence>* story);
void put_entry(JsonWriter& json, const Entry& entry, const Names& names);

}  // namespace tcpwitness
