// SPDX-License-Identifier: Apache-2.0
// json_parts.hpp: what more than one kind of JSON line holds, and the line itself.
#pragma once

#include <string_view>

#include "sink/format.hpp"
#include "sink/json_writer.hpp"
#include "sink/output.hpp"
#include "tcpwitness/address.hpp"
#include "tcpwitness/connection.hpp"

namespace tcpwitness {

inline void put_endpoint(JsonWriter& json, std::string_view key, const Endpoint& endpoint) {
  json.key(key);
  json.begin_object();
  json.key("ip");
  json.quoted(most_of_ip, [&](char* at) { return put_ip(at, endpoint.address); });
  json.field("port", endpoint.port);
  json.end_object();
}

inline void put_flow(JsonWriter& json, const Flow& flow) {
  put_endpoint(json, "local", flow.local);
  put_endpoint(json, "remote", flow.remote);
}

// Of a process, or null where there is none.
inline void put_pid(JsonWriter& json, const Process& process) {
  json.key("pid");
  process.pid != 0 ? json.value(process.pid) : json.null();
  json.key("comm");
  process.comm.empty() ? json.null() : json.value(process.comm);
}

// One object; put(JsonWriter&) fills it.
template <typename Put>
void write_json_line(Output& output, Put put) {
  JsonWriter json(output.buffer());
  json.begin_object();
  put(json);
  json.end_object();
  output.buffer().push_back('\n');
  output.line_done();
}

}  // namespace tcpwitness
