// SPDX-License-Identifier: Apache-2.0
// Capture files as bytes: every format and byte order, times, sections, packing, and damage at its byte.
#include "capture/capture_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "unit/capture_bytes.hpp"
#include "unit/capture_read.hpp"
#include "unit/events.hpp"

namespace tcpwitness::testing {
namespace {

Bytes data(std::string_view text) { return Bytes().text(text); }

using testing::s;

struct PcapKind {
  std::uint32_t magic;
  bool big_endian;
  TimeNs fraction;
};

class PcapFormat : public ::testing::TestWithParam<PcapKind> {};

TEST_P(PcapFormat, GivesEveryPacketWithItsTimeAndLengths) {
  const auto [magic, big_endian, fraction] = GetParam();
  Pcap pcap(big_endian, magic);
  pcap.packet(data("first"), 10, 7).packet(data("second"), 11, 8, 1500);
  const Read reported = read(pcap.file);
  EXPECT_EQ(reported.damage, "");
  ASSERT_EQ(reported.blocks.size(), 2U);
  EXPECT_EQ(reported.blocks[0].bytes, "first");
  EXPECT_EQ(reported.blocks[0].number, 1U);
  EXPECT_EQ(reported.blocks[0].ts_ns, 10 * s + 7 * fraction);
  EXPECT_EQ(reported.blocks[0].wire_len, 5U);
  EXPECT_EQ(reported.blocks[1].bytes, "second");
  EXPECT_EQ(reported.blocks[1].wire_len, 1500U);
  EXPECT_EQ(reported.blocks[1].link_type, 1U);
}

INSTANTIATE_TEST_SUITE_P(All, PcapFormat,
                         ::testing::Values(PcapKind{0xa1b2c3d4, false, 1000}, PcapKind{0xa1b2c3d4, true, 1000},
                                           PcapKind{0xa1b23c4d, false, 1}, PcapKind{0xa1b23c4d, true, 1},
                                           PcapKind{0xa1b2cd34, false, 1000}, PcapKind{0xa1b2cd34, true, 1000}));

TEST(PcapFile, AFractionOfASecondIsBelowASecond) {
  Pcap micro;
  micro.packet(data("a"), 10, 999'999).packet(data("b"), 11, 1'000'000).packet(data("c"), 12, 466'743'000);
  micro.packet(data("d"), 13, 0xffffffff);
  const Read read_micro = read(micro.file);
  ASSERT_EQ(read_micro.blocks.size(), 4U);
  EXPECT_EQ(read_micro.blocks[0].ts_ns, 10 * s + 999'999'000);
  EXPECT_EQ(read_micro.blocks[1].ts_ns, 11 * s + 1'000'000) << "these are nanoseconds";
  EXPECT_EQ(read_micro.blocks[2].ts_ns, 12 * s + 466'743'000);
  EXPECT_EQ(read_micro.blocks[3].ts_ns, 13 * s + 999'999'999);
  EXPECT_EQ(read_micro.odd_times, 3U);
  Pcap nano(false, 0xa1b23c4d);
  const Read read_nano = read(nano.packet(data("a"), 10, 999'999'999).packet(data("b"), 11, 1'000'000'000).file);
  ASSERT_EQ(read_nano.blocks.size(), 2U);
  EXPECT_EQ(read_nano.blocks[0].ts_ns, 10 * s + 999'999'999);
  EXPECT_EQ(read_nano.blocks[1].ts_ns, 11 * s + 999'999'999);
  EXPECT_EQ(read_nano.odd_times, 1U);
}

TEST(PcapFile, WithTheLengthOfItsFrameChecksumInTheLinkTypeIsStillEthernet) {
  Pcap pcap(false, 0xa1b2c3d4, 0x24000001);
  const Read reported = read(pcap.packet(data("x")).file);
  ASSERT_EQ(reported.blocks.size(), 1U);
  EXPECT_EQ(reported.blocks[0].link_type, 1U);
}

TEST(PcapFile, WithNothingButAHeaderHasNoPacketsAndNoDamage) {
  const Read reported = read(Pcap().file);
  EXPECT_EQ(reported.refused + reported.damage, "");
  EXPECT_TRUE(reported.blocks.empty());
}

TEST(PcapFile, WithTheLastTimeThereIsDoesNotOverflow) {
  const Read reported = read(Pcap().packet(data("x"), 0xffffffff, 0xffffffff).file);
  ASSERT_EQ(reported.blocks.size(), 1U);
  EXPECT_GT(reported.blocks[0].ts_ns, 0);
}

class PcapngOrder : public ::testing::TestWithParam<bool> {};

TEST_P(PcapngOrder, GivesPacketsOfAllThreeKindsOfBlock) {
  Pcapng file(GetParam(), "a program 1.0");
  file.interface(1, "eth0").interface(101, "tun0");
  Bytes options = file.body();
  Pcapng::option(options, 1, data("why"));
  file.packet(data("enhanced"), 5'000'001, 1, 99, options);
  file.block(3, file.body().u32(6).add(data("simple")));
  file.block(2, file.body().u16(1).u16(3).u32(0).u32(7).u32(3).u32(60).add(data("old")));
  const Read reported = read(file.file);
  EXPECT_EQ(reported.damage, "");
  EXPECT_EQ(reported.application, "a program 1.0");
  EXPECT_EQ(reported.format, "pcapng");
  ASSERT_EQ(reported.interfaces.size(), 2U);
  EXPECT_EQ(reported.interfaces[0].name, "eth0");
  EXPECT_EQ(reported.interfaces[1].link_type, 101U);
  ASSERT_EQ(reported.blocks.size(), 3U);
  EXPECT_EQ(reported.blocks[0].bytes, "enhanced");
  EXPECT_EQ(reported.blocks[0].ts_ns, 5'000'001'000);
  EXPECT_EQ(reported.blocks[0].interface, 1U);
  EXPECT_EQ(reported.blocks[0].link_type, 101U);
  EXPECT_EQ(reported.blocks[0].wire_len, 99U);
  EXPECT_EQ(reported.blocks[0].options, text(options.span()));
  EXPECT_EQ(reported.blocks[1].bytes, "simple");
  EXPECT_EQ(reported.blocks[1].interface, 0U);
  EXPECT_EQ(reported.blocks[2].bytes, "old");
  EXPECT_EQ(reported.blocks[2].interface, 1U);
  EXPECT_EQ(reported.blocks[2].ts_ns, 7000);
  EXPECT_EQ(reported.blocks[2].number, 3U);
}

TEST_P(PcapngOrder, HandsThroughJournalAndLocalBlocksAndPassesOverTheRest) {
  Pcapng file(GetParam());
  file.block(5, file.body().u32(1));                // interface statistics
  file.block(9, file.body().text("MESSAGE=hi\n"));  // 11 bytes and a zero
  file.block(0x8000a11c, file.body().text("own!"));
  file.block(0x00000bad, file.body().text("skip"));
  const Read reported = read(file.file);
  EXPECT_EQ(reported.damage, "");
  ASSERT_EQ(reported.blocks.size(), 2U);
  EXPECT_EQ(reported.blocks[0].kind, CaptureBlock::Kind::journal);
  EXPECT_EQ(reported.blocks[0].bytes, "MESSAGE=hi\n");
  EXPECT_EQ(reported.blocks[1].kind, CaptureBlock::Kind::local);
  EXPECT_EQ(reported.blocks[1].type, 0x8000a11cU);
  EXPECT_EQ(reported.blocks[1].bytes, "own!");
}

INSTANTIATE_TEST_SUITE_P(Both, PcapngOrder, ::testing::Bool());

TEST(PcapngFile, OfTwoSectionsInBothByteOrdersNumbersInterfacesThrough) {
  Pcapng first(false, "one");
  first.interface(1, "eth0").packet(data("a"));
  Pcapng second(true, "two");
  second.interface(113, "any", 9).packet(data("b"), 12345);
  const Read reported = read(Bytes().add(first.file).add(second.file));
  EXPECT_EQ(reported.damage, "");
  ASSERT_EQ(reported.blocks.size(), 2U);
  ASSERT_EQ(reported.interfaces.size(), 2U);
  EXPECT_EQ(reported.blocks[1].interface, 1U);
  EXPECT_EQ(reported.blocks[1].link_type, 113U);
  EXPECT_EQ(reported.blocks[1].ts_ns, 12345);
  EXPECT_EQ(reported.application, "two");
}

TEST_P(PcapngOrder, CountsWhatWasDroppedWhenItWasCaptured) {
  Pcapng file(GetParam());
  file.interface(1, "eth0").interface(1, "eth1");
  const auto statistics = [&](std::uint32_t interface, std::uint64_t by_interface, std::uint64_t by_system) {
    Bytes of = file.body().u32(interface).u64(0);
    Pcapng::option(of, 4, file.body().u64(1'000'000));  // isb_ifrecv
    Pcapng::option(of, 5, file.body().u64(by_interface));
    Pcapng::option(of, 7, file.body().u64(by_system));
    file.block(5, of.u32(0));
  };
  const auto packet = [&](std::uint32_t interface, std::uint64_t dropped_before) {
    Bytes options = file.body();
    Pcapng::option(options, 4, file.body().u64(dropped_before));
    file.packet(data("x"), 0, interface, 0, options.u32(0));
  };
  statistics(0, 2, 1);
  statistics(0, 3, 4);  // since the beginning: not in addition
  statistics(7, 9, 9);  // an interface that there is not
  packet(0, 1);
  packet(0, 5);
  EXPECT_EQ(read(file.file).dropped, 7U);  // of these packets the statistics speak too
  packet(0, 2);
  packet(1, 10);
  file.block(2, file.body().u16(1).u16(3).u32(0).u32(0).u32(1).u32(1).add(data("o")));
  file.block(2, file.body().u16(1).u16(0xffff).u32(0).u32(0).u32(1).u32(1).add(data("o")));
  EXPECT_EQ(read(file.file).dropped, 8U + 13U);
  EXPECT_EQ(read(file.file).damage, "");
}

TEST(PcapngFile, ASimplePacketThatDoesNotFitItsBlockIsDamage) {
  Pcapng file;
  file.interface().block(3, file.body().u32(9).add(data("eight by")));
  const Read reported = read(file.file);
  EXPECT_TRUE(reported.blocks.empty());
  EXPECT_NE(reported.damage.find("claims 9 captured bytes"), std::string::npos) << reported.damage;
}

TEST(PcapngFile, CutsASimplePacketAtTheSnapLengthOfItsInterface) {
  Pcapng file;
  file.interface(1, {}, -1, 0, 4).block(3, file.body().u32(100).add(data("four")));
  const Read reported = read(file.file);
  ASSERT_EQ(reported.blocks.size(), 1U);
  EXPECT_EQ(reported.blocks[0].bytes, "four");
  EXPECT_EQ(reported.blocks[0].wire_len, 100U);
}

struct Time {
  int resolution;
  std::uint64_t offset;
  std::uint64_t ticks;
  TimeNs expected;
};

class PcapngTime : public ::testing::TestWithParam<Time> {};

TEST_P(PcapngTime, IsNanoseconds) {
  Pcapng file;
  file.interface(1, {}, GetParam().resolution, GetParam().offset).packet(data("x"), GetParam().ticks);
  const Read reported = read(file.file);
  ASSERT_EQ(reported.blocks.size(), 1U);
  EXPECT_EQ(reported.blocks[0].ts_ns, GetParam().expected);
}

constexpr TimeNs latest = TimeNs{1} << 62;
constexpr std::uint64_t all_ones = ~std::uint64_t{0};
INSTANTIATE_TEST_SUITE_P(
    All, PcapngTime,
    ::testing::Values(Time{-1, 0, 1'000'002, 1'000'002'000}, Time{0, 0, 3, 3 * s}, Time{3, 0, 3, 3'000'000},
                      Time{9, 0, 3, 3}, Time{12, 0, 2'500, 2}, Time{0x80 | 10, 0, 1024 + 512, s + s / 2},
                      Time{0x80 | 32, 0, (std::uint64_t{5} << 32U) + (1U << 31U), 5 * s + s / 2},
                      Time{9, 100, 7, 100 * s + 7},
                      Time{9, static_cast<std::uint64_t>(-1), 3 * static_cast<std::uint64_t>(s), 2 * s},
                      Time{0, 0, all_ones, latest}, Time{9, 0, all_ones, latest}, Time{127, 0, all_ones, 0},
                      Time{0xff, 0, all_ones, 0}, Time{0x80, 0, all_ones, latest},
                      Time{9, all_ones >> 1U, 7, latest / s* s + 7}, Time{9, std::uint64_t{1} << 63U, 7, 0}));

// Damage.

TEST(Damage, OfAPacketThatClaimsMoreThanAnyHasSaysWhere) {
  Pcap pcap;
  pcap.packet(data("good"));
  const std::size_t byte = pcap.file.size();
  pcap.file.u32(1).u32(0).u32(300'000).u32(300'000).zeros(400'000);
  const Read reported = read(pcap.file);
  EXPECT_EQ(reported.blocks.size(), 1U);
  EXPECT_NE(reported.damage.find("the packet at byte " + std::to_string(byte) + " claims 300000 captured bytes"),
            std::string::npos)
      << reported.damage;
}

TEST(Damage, IsNotAPacketOfTheLargestSize) {
  const Read reported = read(Pcap().packet(Bytes().zeros(262'144)).file);
  EXPECT_EQ(reported.damage, "");
  EXPECT_EQ(reported.blocks.size(), 1U);
}

TEST(Damage, OfAFileThatIsCutInAPacketSaysBothBytes) {
  Pcap pcap;
  pcap.packet(data("good"));
  const std::size_t begin = pcap.file.size();
  pcap.packet(data("this one is cut"));
  pcap.file.raw().resize(pcap.file.size() - 3);
  const Read reported = read(pcap.file);
  EXPECT_EQ(reported.blocks.size(), 1U);
  EXPECT_NE(reported.damage.find("was cut at byte " + std::to_string(pcap.file.size())), std::string::npos)
      << reported.damage;
  EXPECT_NE(reported.damage.find("the packet at byte " + std::to_string(begin)), std::string::npos) << reported.damage;
}

TEST(Damage, OfABlockSaysWhatDoesNotFit) {
  const auto damage = [](auto change) {
    Pcapng file;
    file.interface().packet(data("good"));
    const std::size_t byte = file.file.size();
    change(file);
    const Read reported = read(file.file);
    EXPECT_EQ(reported.blocks.size(), 1U) << reported.damage;
    EXPECT_NE(reported.damage.find("at byte " + std::to_string(byte) + " "), std::string::npos) << reported.damage;
    return reported.damage;
  };
  const auto contains = [](const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  contains(damage([](Pcapng& f) { f.file.u32(6).u32(7).zeros(20); }), "claims a length of 7 bytes");
  contains(damage([](Pcapng& f) { f.file.u32(6).u32(34).zeros(34); }), "claims a length of 34 bytes");
  contains(damage([](Pcapng& f) { f.file.u32(6).u32(16 * 1024 * 1024 + 4).zeros(40); }), "claims a length");
  contains(damage([](Pcapng& f) { f.file.u32(5).u32(16).u32(0).u32(20); }), "16 bytes long at its beginning and 20");
  contains(damage([](Pcapng& f) { f.packet(data("x"), 0, 1); }), "interface 1, which was not described");
  contains(damage([](Pcapng& f) { f.block(6, f.body().zeros(16)); }), "too short for a packet");
  contains(damage([](Pcapng& f) { f.block(6, f.body().zeros(12).u32(8).u32(8).zeros(4)); }), "claims 8 captured bytes");
  contains(damage([](Pcapng& f) { f.block(1, f.body().zeros(4)); }), "too short for an interface");
  contains(damage([](Pcapng& f) { f.block(0x0a0d0d0a, f.body().u32(0xdeadbeef).zeros(12)); }), "no byte-order magic");
  contains(damage([](Pcapng& f) { f.block(0x0a0d0d0a, f.body().u32(0x1a2b3c4d).u16(2).zeros(10)); }), "version 2");
}

TEST(Damage, OfInterfacesWithoutEndIsFoundBeforeMemoryIs) {
  Pcapng file;
  for (int i = 0; i < 65'537; i++) file.interface();
  EXPECT_NE(read(file.file).damage.find("more than 65536 interfaces"), std::string::npos);
}

TEST(Open, RefusesWhatIsNoCaptureAndSaysWhy) {
  const auto refused = [](const Bytes& bytes) { return read(bytes).refused; };
  EXPECT_NE(refused(Bytes()).find("it is empty"), std::string::npos);
  EXPECT_NE(refused(data("#!/bin/sh\necho no\n")).find("not a pcap or pcapng file"), std::string::npos);
  EXPECT_NE(refused(data("ab")).find("not a pcap or pcapng file"), std::string::npos);
  EXPECT_NE(refused(Bytes(false).u32(0xa1b2c3d4).u16(2)).find("header is cut: 6 of 24"), std::string::npos);
  EXPECT_NE(refused(Bytes(false).u32(0xa1b2c3d4).u16(9).u16(1).zeros(16)).find("version 9.1"), std::string::npos);
  EXPECT_NE(refused(Bytes(false).u32(0x0a0d0d0a).u32(28).u32(1).zeros(16)).find("byte-order"), std::string::npos);
  EXPECT_NE(read(CaptureFile::open("/nonexistent/x.pcap")).refused.find("No such file"), std::string::npos);
  EXPECT_NE(read(CaptureFile::open("/")).refused.find("it is a directory"), std::string::npos);
}

// Packing.

Bytes gzip(const Bytes& plain) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes packed;
  packed.raw().resize(plain.size() + 1000);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(plain.span().data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.raw().data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.raw().resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Bytes zstd(const Bytes& plain) {
  Bytes packed;
  packed.raw().resize(ZSTD_compressBound(plain.size()));
  packed.raw().resize(ZSTD_compress(packed.raw().data(), packed.size(), plain.span().data(), plain.size(), 3));
  return packed;
}

// More than the window and all pieces hold.
Bytes large_capture() {
  Pcap pcap;
  for (std::uint32_t i = 0; i < 20'000; i++) {
    const std::uint32_t unlike = i * 2654435761U;
    pcap.packet(Bytes().u32(unlike).zeros(std::size_t{i} % 97), i);
  }
  return pcap.file;
}

TEST(Packed, GzipAndZstdGiveWhatThePlainFileGives) {
  const Bytes plain = large_capture();
  const Read expected = read(plain);
  ASSERT_EQ(expected.blocks.size(), 20'000U);
  for (const Bytes& packed : {gzip(plain), zstd(plain)}) {
    const Read reported = read(packed);
    EXPECT_EQ(reported.damage, "");
    ASSERT_EQ(reported.blocks.size(), expected.blocks.size());
    for (std::size_t i = 0; i < reported.blocks.size(); i++)
      ASSERT_EQ(reported.blocks[i].bytes, expected.blocks[i].bytes);
  }
  EXPECT_EQ(read(gzip(plain)).format, "pcap, gzip");
  EXPECT_EQ(read(zstd(plain)).format, "pcap, zstd");
}

TEST(Packed, SeveralMembersAreOneFile) {
  const Bytes plain = large_capture();
  Bytes first;
  Bytes second;
  first.add(plain.span().first(1000));
  second.add(plain.span().subspan(1000));
  EXPECT_EQ(read(gzip(first).add(gzip(second))).blocks.size(), 20'000U);
  EXPECT_EQ(read(zstd(first).add(zstd(second))).blocks.size(), 20'000U);
}

TEST(Packed, DataThatEndsInTheMiddleIsDamageBehindAllThatCouldBeUnpacked) {
  for (Bytes packed : {gzip(large_capture()), zstd(large_capture())}) {
    packed.raw().resize(packed.size() / 2);
    const Read reported = read(packed);
    EXPECT_GT(reported.blocks.size(), 1000U);
    EXPECT_LT(reported.blocks.size(), 20'000U);
    EXPECT_NE(reported.damage.find("ends before it is complete"), std::string::npos) << reported.damage;
  }
}

TEST(Packed, DataThatIsDamagedSaysSo) {
  Bytes wrong_sum = gzip(large_capture());
  wrong_sum.raw()[wrong_sum.size() - 8] ^= std::byte{1};
  Bytes no_frame = zstd(large_capture()).text("no frame of zstd");
  for (const Bytes& packed : {wrong_sum, no_frame}) {
    const Read reported = read(packed);
    EXPECT_EQ(reported.blocks.size(), 20'000U);
    EXPECT_NE(reported.damage.find("is damaged"), std::string::npos) << reported.damage;
  }
}

TEST(Packed, ZerosBehindGzipArePaddingAndAnythingElseIsSaid) {
  Bytes padded = gzip(large_capture()).zeros(100'000);
  EXPECT_EQ(read(padded).blocks.size(), 20'000U);
  EXPECT_EQ(read(padded).damage, "");
  const Read reported = read(padded.text("junk"));
  EXPECT_EQ(reported.blocks.size(), 20'000U);
  EXPECT_NE(reported.damage.find("what follows the gzip data is no gzip data"), std::string::npos) << reported.damage;
}

// Files and pipes.

TEST(File, OnDiskKnowsItsSizeAndHowFarItWasRead) {
  const Bytes plain = large_capture();
  const Scratch scratch(plain);
  auto file = CaptureFile::open(scratch.path);
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_TRUE((*file)->regular());
  EXPECT_EQ((*file)->bytes_total(), plain.size());
  CaptureBlock block;
  std::uint64_t last = 0;
  std::size_t count = 0;
  while ((*file)->next(block)) {
    EXPECT_GT((*file)->bytes_read(), last);
    last = (*file)->bytes_read();
    ++count;
  }
  EXPECT_EQ(count, 20'000U);
  EXPECT_EQ(last, plain.size());
}

TEST(File, ThatShrinksWhileItIsReadIsDamagedAndNothingWorse) {
  const Bytes plain = large_capture();
  const Scratch scratch(plain);
  auto file = CaptureFile::open(scratch.path);
  ASSERT_TRUE(file);
  CaptureBlock block;
  ASSERT_TRUE((*file)->next(block));
  std::filesystem::resize_file(scratch.path, 300'000);
  std::size_t count = 1;
  while ((*file)->next(block)) ++count;
  EXPECT_LT(count, 20'000U);
  ASSERT_TRUE((*file)->damage());
  EXPECT_NE((*file)->damage()->why.find("was cut at byte 300000"), std::string::npos) << (*file)->damage()->why;
}

// A pipe whose first packet is there while the second is not.
TEST(Pipe, GivesAPacketAsSoonAsItIsThereAndAsksBeforeItWaits) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Bytes capture = Pcap().packet(data("first")).file;
  ASSERT_EQ(::write(ends[1], capture.span().data(), capture.size()), static_cast<ssize_t>(capture.size()));
  int listener_did_not_take = 0;
  const auto there = [&](int fd) {
    pollfd wanted{fd, POLLIN, 0};
    if (::poll(&wanted, 1, 0) == 1) return true;
    ++listener_did_not_take;
    return false;
  };
  auto file = CaptureFile::open("/dev/fd/" + std::to_string(ends[0]), there);
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_FALSE((*file)->regular());
  CaptureBlock block;
  EXPECT_TRUE((*file)->next(block));
  EXPECT_EQ(text(block.bytes), "first");
  EXPECT_EQ(listener_did_not_take, 0);
  EXPECT_FALSE((*file)->next(block));
  EXPECT_EQ(listener_did_not_take, 1);
  EXPECT_FALSE((*file)->damage()) << (*file)->damage()->why;
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace tcpwitness::testing
