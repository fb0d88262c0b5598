// SPDX-License-Identifier: Apache-2.0
// Packets of which the heads are enough: of long ones in an ordinary file the rest is passed over unread, and nothing
// else may differ.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "unit/capture_bytes.hpp"
#include "unit/capture_read.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::uint32_t head = 512;

// Bytes that differ all over.
Bytes noise(std::size_t count) {
  static std::minstd_rand random(1);
  Bytes bytes;
  while (bytes.size() < count) bytes.u8(random() & 0xffU);
  return bytes;
}

// As offloads leave them: some longer than what is read at once, some not worth to be passed over.
constexpr std::initializer_list<std::size_t> lengths{66,  65'549, 66, 66, 1514, 17'000, 262'144, 512,
                                                     513, 40'001, 0,  66, 8000, 65'549, 16'896,  90};

Bytes pcap() {
  Pcap capture;
  for (const std::size_t length : lengths) capture.packet(noise(length), 7, 8, 300'000);
  return capture.file;
}

Bytes pcapng(bool big_endian) {
  Pcapng capture(big_endian, "a test");
  capture.interface(1, "eth0");
  for (const std::size_t length : lengths) {
    Bytes options = capture.body();
    if (length % 2 == 0) {
      Pcapng::option(options, 1, Bytes().text("a comment"));
      options.u32(0);
    }
    capture.packet(noise(length), 1'000'000 + length, 0, 0, options);
  }
  return capture.file;
}

Read read_snapped(Result<std::unique_ptr<CaptureFile>> file) {
  if (file) (*file)->set_snaplen(head);
  return read(std::move(file));
}

// The heads, from a disk and from memory, are those of the packets that are read whole.
void expect_the_same(const Bytes& capture) {
  Read whole = read(capture);
  for (Block& block : whole.blocks) block.bytes.resize(std::min<std::size_t>(block.bytes.size(), head));
  const Scratch scratch(capture);
  const Read from_disk = read_snapped(CaptureFile::open(scratch.path));
  const Read from_memory = read_snapped(CaptureFile::open(capture.span()));
  for (const Read* heads : {&from_disk, &from_memory}) {
    EXPECT_EQ(heads->blocks, whole.blocks);
    EXPECT_EQ(nameless(heads->damage, scratch), nameless(whole.damage, scratch));
    EXPECT_EQ(nameless(heads->refused, scratch), nameless(whole.refused, scratch));
  }
}

TEST(HeadsOnly, GivesTheFirstBytesAndEverythingElseAsItIs) {
  for (const Bytes& capture : {pcap(), pcapng(false), pcapng(true)}) {
    expect_the_same(capture);
    EXPECT_EQ(read(capture).damage, "");
    EXPECT_EQ(read(capture).blocks.size(), lengths.size());
  }
}

TEST(HeadsOnly, ALongPacketIsNotRead) {
  const Scratch scratch(Pcap().packet(noise(200'000)).packet(noise(10)).file);
  auto file = CaptureFile::open(scratch.path);
  ASSERT_TRUE(file);
  (*file)->set_snaplen(head);
  CaptureBlock block;
  ASSERT_TRUE((*file)->next(block));
  EXPECT_EQ(block.bytes.size(), head);
  // Written over behind our back: who had read it would not see that.
  std::fstream(scratch.path, std::ios::binary | std::ios::in | std::ios::out).seekp(200'000 + 24 + 16 + 8) << "\x04";
  ASSERT_TRUE((*file)->next(block));
  EXPECT_EQ(block.bytes.size(), 4U);
}

TEST(HeadsOnly, AFileCutAnywhereIsDamagedAtTheSameByte) {
  for (const Bytes& capture : {pcap(), pcapng(false)}) {
    std::minstd_rand random(2);
    for (int i = 0; i < 400; ++i) {
      Bytes cut;
      cut.add(capture.span().first(random() % capture.size()));
      expect_the_same(cut);
    }
  }
}

TEST(HeadsOnly, ALongBlockThatContradictsItselfIsDamaged) {
  const Bytes good = Pcapng().interface().packet(noise(100'000)).packet(noise(66)).file;
  const std::size_t begin = Pcapng().interface().file.size();
  for (const std::size_t field : {4U, 8U, 20U, 100'028U}) {  // lengths, the interface, the captured length
    Bytes bad = good;
    for (const unsigned bit : {0x01U, 0x04U, 0x80U}) {
      bad.raw()[begin + field] = good.span()[begin + field] ^ static_cast<std::byte>(bit);
      expect_the_same(bad);
    }
  }
  Bytes bad = good;
  bad.raw()[begin + 100'028] ^= std::byte{4};
  const Scratch scratch(bad);
  const Read reported = read_snapped(CaptureFile::open(scratch.path));
  EXPECT_TRUE(reported.blocks.empty());
  EXPECT_NE(reported.damage.find("at its beginning and"), std::string::npos) << reported.damage;
}

TEST(HeadsOnly, AFileMayGrowWhileItIsRead) {
  const Bytes whole = pcap();
  Bytes first;
  first.add(whole.span().first(24 + 16 + 66));
  const Scratch scratch(first);
  auto file = CaptureFile::open(scratch.path);
  std::ofstream(scratch.path, std::ios::binary | std::ios::app) << text(whole.span().subspan(first.size()));
  const Read reported = read_snapped(std::move(file));
  EXPECT_EQ(reported.damage, "");
  EXPECT_EQ(reported.blocks.size(), lengths.size());
}

}  // namespace
}  // namespace tcpwitness::testing
