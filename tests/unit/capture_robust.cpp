// SPDX-License-Identifier: Apache-2.0
// Hostile captures: every truncation of, and 100,000 mutations of, the seeds in tests/fuzz/corpus/capture. No crash,
// no hang, and what is reported lies within what was given (the sanitizers of the other build see the rest).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "capture/tcp_frames.hpp"

namespace tcpwitness::testing {
namespace {

using Content = std::vector<std::byte>;

std::vector<Content> seeds() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(TCPWITNESS_FUZZ_CORPUS "/capture"))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Content> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
    Content& seed = seeds.emplace_back(chars.size());
    std::transform(chars.begin(), chars.end(), seed.begin(), [](char c) { return static_cast<std::byte>(c); });
  }
  return seeds;
}

struct Counts {
  std::uint64_t blocks = 0;
  std::uint64_t segments = 0;
  bool opened = false;
  bool damaged = false;
};

Counts read(const Content& content) {
  Counts counts;
  auto file = CaptureFile::open(std::span(content));
  counts.opened = file.has_value();
  if (!file) return counts;
  TcpFrames frames;
  frames.check_checksums(true);
  CaptureBlock block;
  TcpFrame tcp;
  while ((*file)->next(block)) {
    ++counts.blocks;
    const Content exact(block.bytes.begin(), block.bytes.end());  // so that the sanitizer knows where it ends
    block.bytes = exact;
    if (!frames.parse(block, tcp)) continue;
    ++counts.segments;
    EXPECT_LE(tcp.sack_count, 4);
    EXPECT_LT(tcp.interface, (*file)->interfaces().size());
  }
  counts.damaged = (*file)->damage().has_value();
  return counts;
}

TEST(Hostile, SeedsAreWholeCaptures) {
  const auto all = seeds();
  ASSERT_GE(all.size(), 5U);
  std::uint64_t segments = 0;
  for (const Content& seed : all) {
    EXPECT_TRUE(read(seed).opened);
    segments += read(seed).segments;
  }
  EXPECT_GE(segments, 20U);
}

TEST(Hostile, EveryTruncationGivesWhatComesBeforeIt) {
  for (const Content& seed : seeds()) {
    const Counts whole = read(seed);
    std::uint64_t last = 0;
    for (std::size_t size = 0; size < seed.size(); size++) {
      const Counts part = read({seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(size)});
      EXPECT_GE(part.blocks, last);
      EXPECT_LE(part.blocks, whole.blocks);
      last = part.blocks;
    }
  }
}

TEST(Hostile, AHundredThousandMutationsDoNoHarm) {
  const auto all = seeds();
  std::mt19937 random(20261122);  // the same each time
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  std::uint64_t blocks = 0;
  std::uint64_t damaged = 0;
  for (int i = 0; i < 100'000; i++) {
    Content content = all[below(all.size())];
    for (std::size_t changes = 1 + below(4); changes > 0 && !content.empty(); changes--) {
      const std::size_t at = below(content.size());
      const auto from = content.begin() + static_cast<std::ptrdiff_t>(at);
      const std::size_t count = std::min(1 + below(64), content.size() - at);
      switch (below(5)) {
        case 0:  // a bit
          content[at] ^= static_cast<std::byte>(1U << below(8));
          break;
        case 1:  // a value at a limit
          content[at] =
              std::vector{std::byte{0}, std::byte{1}, std::byte{0x7f}, std::byte{0x80}, std::byte{0xff}}[below(5)];
          break;
        case 2:  // a byte
          content[at] = static_cast<std::byte>(random());
          break;
        case 3:  // something is missing
          content.erase(from, from + static_cast<std::ptrdiff_t>(count));
          break;
        default: {  // something is there twice
          const Content twice(from, from + static_cast<std::ptrdiff_t>(count));
          content.insert(from, twice.begin(), twice.end());
        }
      }
    }
    const Counts counts = read(content);
    blocks += counts.blocks;
    damaged += counts.damaged ? 1 : 0;
  }
  EXPECT_GT(blocks, 100'000U) << "most mutations leave something to be read";
  EXPECT_GT(damaged, 10'000U) << "and many do damage";
}

}  // namespace
}  // namespace tcpwitness::testing
