// SPDX-License-Identifier: Apache-2.0
// sockets.hpp: the sockets that are open now (`ls`): a table, an object each, or rows.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "judge/open_socket.hpp"
#include "sink/sinks.hpp"

namespace tcpwitness {

struct ListedSocket {
  OpenSocket socket;
  std::vector<Finding> findings;
};
struct SocketListing {
  TimeNs ts_ns = 0;
  std::vector<ListedSocket> sockets;
  std::size_t all = 0;  // before --problems and --finding chose
};

// dated: one of several.
void write_sockets_text(Output& output, const SocketListing& listing, const TextStyle& style, bool dated);
void write_sockets_json(Output& output, const SocketListing& listing);
void write_sockets_csv_header(Output& output);
void write_sockets_csv(Output& output, const SocketListing& listing);

}  // namespace tcpwitness
