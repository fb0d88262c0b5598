// SPDX-License-Identifier: Apache-2.0
// capture_read.hpp: what a capture gives when it is read to its end.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "capture/capture_file.hpp"
#include "unit/capture_bytes.hpp"

namespace tcpwitness::testing {

struct Block {
  CaptureBlock::Kind kind;
  std::uint32_t type;
  std::uint64_t number;
  TimeNs ts_ns;
  std::uint32_t interface;
  std::uint16_t link_type;
  std::uint32_t wire_len;
  std::string bytes;
  std::string options;
  bool operator==(const Block&) const = default;
};

struct Read {
  std::vector<Block> blocks;
  std::vector<CaptureInterface> interfaces;
  std::string application;
  std::string format;
  std::string damage;   // empty: none
  std::string refused;  // open() failed
  std::uint64_t dropped = 0;
  std::uint64_t odd_times = 0;
};

inline std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// All blocks up to the end or the damage.
inline Read read(Result<std::unique_ptr<CaptureFile>> file) {
  Read reported;
  if (!file) {
    reported.refused = file.error().message();
    return reported;
  }
  CaptureBlock block;
  while ((*file)->next(block))
    reported.blocks.push_back({block.kind, block.type, block.number, block.ts_ns, block.interface, block.link_type,
                               block.wire_len, text(block.bytes), text(block.options)});
  EXPECT_FALSE((*file)->next(block)) << "the end must stay the end";
  reported.interfaces = (*file)->interfaces();
  reported.application = (*file)->application();
  reported.dropped = (*file)->dropped();
  reported.odd_times = (*file)->odd_times();
  reported.format = (*file)->format();
  if ((*file)->damage()) reported.damage = (*file)->damage()->message();
  return reported;
}

inline Read read(const Bytes& bytes) { return read(CaptureFile::open(bytes.span())); }

// A capture on a disk.
class Scratch {
 public:
  explicit Scratch(const Bytes& content) {
    std::string name = std::filesystem::temp_directory_path() / "tcpwitness-capture-XXXXXX";
    const int fd = ::mkstemp(name.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    path = name;
    std::ofstream(path, std::ios::binary) << text(content.span());
  }
  ~Scratch() { std::filesystem::remove(path); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string path;
};

// The message without the name of what was read, from the disk or from memory.
inline std::string nameless(std::string message, const Scratch& scratch) {
  for (const std::string& name : {scratch.path, std::string("the bytes")})
    if (const auto at = message.find(name); at != std::string::npos) message.erase(at, name.size());
  return message;
}

}  // namespace tcpwitness::testing
