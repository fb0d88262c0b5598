// SPDX-License-Identifier: Apache-2.0
// Which frames are TCP segments, and what their headers have: exactly what tshark prints, for every frame of every
// capture.
//
// Not compared, each for a reason that docs/captures.md gives: a header that an ICMP error quotes (tshark shows no raw
// sequence number for it), and TCP in Teredo away from its one known port, which tshark leaves as data.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "capture/tcp_frames.hpp"
#include "corpus/corpus.hpp"

namespace tcpwitness::testing {
namespace {

struct Header {
  std::string source;
  std::string destination;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t len = 0;
  unsigned flags = 0;
  unsigned window = 0;
  std::uint32_t frame_len = 0;
  bool operator==(const Header&) const = default;
};
using Headers = std::map<std::uint64_t, Header>;  // by number of the frame

void PrintTo(const Header& header, std::ostream* out) {
  *out << fmt::format("{} > {} seq {} ack {} len {} flags {:#04x} window {} frame {}", header.source,
                      header.destination, header.seq, header.ack, header.len, header.flags, header.window,
                      header.frame_len);
}

Headers ours(const std::string& capture) {
  Headers headers;
  auto file = CaptureFile::open(capture_path(capture));
  if (!file) {
    ADD_FAILURE() << file.error().message();
    return headers;
  }
  TcpFrames frames;
  CaptureBlock block;
  TcpFrame tcp;
  while ((*file)->next(block)) {
    if (!frames.parse(block, tcp)) continue;
    headers[tcp.number] = {
        to_string(tcp.source), to_string(tcp.destination), tcp.seq, tcp.ack, tcp.len, tcp.flags, tcp.window,
        tcp.frame_len};
  }
  return headers;
}

std::string endpoint(const std::string& address, const std::string& port) {
  Address parsed;
  if (::inet_pton(AF_INET6, address.c_str(), parsed.bytes.data()) != 1) return address + ":" + port;
  return to_string(Endpoint{parsed, static_cast<std::uint16_t>(std::stoul(port))});
}

// What tshark left empty takes our value: it could not tell (a segment that the end of its tunnel cuts off).
template <typename T>
T number(const std::string& text, T otherwise) {
  return text.empty() ? otherwise : static_cast<T>(std::stoull(text, nullptr, 0));
}

Headers tsharks(const std::string& capture, const Headers& ours) {
  Headers headers;
  const Table table = Table::read(verdict_path(capture, ".packets.tsv"));
  for (std::size_t row = 0; row < table.rows(); row++) {
    if (table.last(row, "tcp.seq_raw").empty()) continue;  // quoted by an ICMP error
    const auto frame = std::stoull(table.at(row, "frame.number"));
    const auto mine = ours.find(frame);
    const Header known = mine == ours.end() ? Header{} : mine->second;
    // With IPv4 and IPv6 in one frame the columns do not tell which is the inner one.
    const std::string port = table.last(row, "tcp.srcport");
    const bool inner_is_6 =
        !table.at(row, "ipv6.src").empty() && (table.at(row, "ip.src").empty() || known.source.starts_with('['));
    const std::string ip = inner_is_6 ? "ipv6." : "ip.";
    headers[frame] = {endpoint(table.last(row, ip + "src"), port),
                      endpoint(table.last(row, ip + "dst"), table.last(row, "tcp.dstport")),
                      number(table.last(row, "tcp.seq_raw"), 0U),
                      number(table.last(row, "tcp.ack_raw"), 0U),
                      number(table.last(row, "tcp.len"), known.len),
                      number(table.last(row, "tcp.flags"), 0U) & 0xffU,
                      number(table.last(row, "tcp.window_size_value"), known.window),
                      number(table.at(row, "frame.len"), 0U)};
  }
  return headers;
}

Headers without_teredo(const std::string& capture, Headers headers, std::size_t& left_out) {
  const Headers theirs = tsharks(capture, headers);
  for (auto at = headers.begin(); at != headers.end();) {
    const bool teredo = at->second.source.starts_with("[2001:0:") || at->second.destination.starts_with("[2001:0:");
    if (teredo && !theirs.contains(at->first)) {
      at = headers.erase(at);
      ++left_out;
    } else {
      ++at;
    }
  }
  return headers;
}

TEST(Frames, AreThoseOfTsharkWithTheSameHeaders) {
  TCPWITNESS_NEED_CORPUS();
  std::size_t all = 0;
  std::size_t equal = 0;
  std::size_t teredo = 0;
  for (const std::string& capture : captures_with(".packets.tsv")) {
    const Headers mine = without_teredo(capture, ours(capture), teredo);
    const Headers theirs = tsharks(capture, mine);
    std::size_t same = 0;
    for (const auto& [frame, header] : theirs) {
      const auto found = mine.find(frame);
      const bool agrees = found != mine.end() && found->second == header;
      same += agrees ? 1 : 0;
      if (agrees) continue;
      ADD_FAILURE() << capture << ", frame " << frame << ": tshark has " << ::testing::PrintToString(header)
                    << ", we have " << (found == mine.end() ? "nothing" : ::testing::PrintToString(found->second));
    }
    for (const auto& [frame, header] : mine)
      EXPECT_TRUE(theirs.contains(frame))
          << capture << ", frame " << frame << ": tshark has nothing, we have " << ::testing::PrintToString(header);
    all += theirs.size();
    equal += same;
    fmt::print("{:7} of {:7} frames equal  {}\n", same, theirs.size(), capture);
  }
  fmt::print("{:7} of {:7} frames equal; {} more in Teredo, where tshark does not look\n", equal, all, teredo);
  EXPECT_GT(all, 0U);
}

}  // namespace
}  // namespace tcpwitness::testing
