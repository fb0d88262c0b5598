// SPDX-License-Identifier: Apache-2.0
// Interfaces that come and go for months: a file begins with those that are there, numbers them by itself, and its
// packets have the interfaces that they had.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <map>
#include <thread>

#include "run/interface_names.hpp"
#include "unit/recorded.hpp"

namespace tcpwitness::testing {
namespace {

using Strings = std::vector<std::string>;
using There = std::map<std::uint32_t, std::string>;

constexpr TimeNs one_second = 1'000'000'000;

// What a file says of interfaces, and whose its packets are.
struct Contents {
  Strings named;      // "2=a", by marks
  Strings described;  // by pcapng
  Strings packets;    // the interface's name, of each
  bool damaged = false;
};

Contents contents_of(const Bytes& bytes) {
  Contents contents;
  pcapng::for_each_block(bytes, [&](std::uint32_t type, std::span<const std::byte> block) {
    if (type != mark_block) return;
    const auto mark = read_mark(block.subspan(8, block.size() - 12));
    if (!mark || !*mark) return;
    if (const auto* interface = std::get_if<InterfaceMark>(&**mark))
      contents.named.push_back(std::to_string(interface->index) + "=" + interface->name);
  });
  const auto file = CaptureFile::open(bytes);
  if (!file) return contents;
  CaptureBlock block;
  while ((*file)->next(block)) {
    if (block.kind == CaptureBlock::Kind::frame)
      contents.packets.push_back((*file)->interfaces().at(block.interface).name);
  }
  for (const CaptureInterface& one : (*file)->interfaces()) contents.described.push_back(one.name);
  contents.damaged = (*file)->damage().has_value();
  return contents;
}

class Interfaces : public ::testing::Test {
 protected:
  Recorder& recorder() {
    if (!recorder_) {
      StartMark start;
      start.ready.version = "9.9";
      start.started_ns = start.ready.ts_ns = now_;
      start.snaplen = 128;
      recorder_ = std::make_unique<Recorder>(settings_, start, names_, [](const std::string&) {});
    }
    return *recorder_;
  }
  void there(const There& all) {
    learn_interfaces(names_, all);
    recorder().interfaces(all);
  }
  void packet(std::uint32_t ifindex) {
    Segment segment{};
    segment.header.kind = TW_KIND_SEGMENT;
    segment.header.ts_ns = static_cast<std::uint64_t>(now_ += 1000);
    segment.ifindex = ifindex;
    segment.seen_at(HookPoint::egress);
    segment.seq = ++seq_;
    segment.segments = 1;
    segment.flags = 0x10;
    const Event event{++id_, now_, segment};
    recorder().record(ring_record(event, 0), std::span(&event, 1));
  }
  void later(TimeNs by) { recorder().flush(now_ += by); }
  Contents finished(const std::string& name) {
    if (!finished_) recorder().finish(EndMark{.now = now_});
    finished_ = true;
    return contents_of(bytes_of_file(dir_.file(name)));
  }

  TempDir dir_;
  RecorderSettings settings_ = into(dir_.file("f"));
  Names names_;
  TimeNs now_ = one_second;

 private:
  std::unique_ptr<Recorder> recorder_;
  EventId id_ = 0;
  std::uint32_t seq_ = 0;
  bool finished_ = false;
};

TEST_F(Interfaces, AFileBeginsWithThoseThatExistOrWhosePacketsAreHeldBack) {
  there({{1, "lo"}, {2, "a"}});
  packet(2);
  later(one_second / 2);
  there({{1, "lo"}, {3, "b"}});
  recorder().next_file();  // the packet comes into this one
  packet(3);
  later(20 * one_second);
  there({{1, "lo"}, {3, "b"}, {4, "c"}});
  recorder().next_file();
  packet(3);
  EXPECT_EQ(finished("f").named, (Strings{"1=lo", "2=a", "3=b"}));
  EXPECT_EQ(finished("f").packets, Strings{});
  EXPECT_EQ(finished("f.00002").named, (Strings{"2=a", "1=lo", "3=b", "4=c"}));
  EXPECT_EQ(finished("f.00002").packets, (Strings{"a", "b"}));
  EXPECT_EQ(finished("f.00003").named, (Strings{"1=lo", "3=b", "4=c"}));
  EXPECT_EQ(finished("f.00003").described, (Strings{"b"}));
  EXPECT_EQ(finished("f.00003").packets, (Strings{"b"}));
}

TEST_F(Interfaces, AFlightRecorderKeepsTheNamesOfItsSeconds) {
  settings_.flight = std::chrono::seconds(60);
  there({{1, "lo"}, {2, "a"}});
  there({{1, "lo"}});
  later(65 * one_second);
  recorder().next_file();
  later(10 * one_second);
  recorder().next_file();
  EXPECT_EQ(finished("f.00002").named, (Strings{"2=a", "1=lo"}));
  EXPECT_EQ(finished("f.00003").named, (Strings{"1=lo"}));
}

TEST_F(Interfaces, AreSaidAgainOnlyWhereTheyHaveChanged) {
  there({{1, "lo"}, {2, "a"}});
  there({{1, "lo"}, {2, "a"}});
  there({{1, "lo"}, {2, "b"}});
  there({{1, "lo"}});
  there({{1, "lo"}, {2, "b"}});
  EXPECT_EQ(finished("f").named, (Strings{"1=lo", "2=a", "2=b", "2=b"}));
}

TEST_F(Interfaces, EachFileNumbersItsOwn) {
  there({{1, "lo"}, {2, "a"}, {3, "b"}});
  packet(3);
  packet(2);
  packet(3);
  later(2 * one_second);
  recorder().next_file();
  packet(2);
  packet(1);
  later(2 * one_second);
  EXPECT_EQ(finished("f").described, (Strings{"b", "a"}));
  EXPECT_EQ(finished("f").packets, (Strings{"b", "a", "b"}));
  EXPECT_EQ(finished("f.00002").described, (Strings{"a", "lo"}));
  EXPECT_EQ(finished("f.00002").packets, (Strings{"a", "lo"}));
}

TEST_F(Interfaces, ThatCameAndWentByTheTenThousandsLeaveAFileThatIsRead) {
  constexpr std::uint32_t many = 66'000;
  for (std::uint32_t index = 2; index < many; ++index) {
    there({{1, "lo"}, {index, "veth" + std::to_string(index)}});
    packet(index);
    later(one_second / 100);
  }
  there({{1, "lo"}});
  later(20 * one_second);
  recorder().next_file();
  packet(1);
  const Contents first = finished("f");
  EXPECT_FALSE(first.damaged);
  ASSERT_EQ(first.packets.size(), many - 2);
  EXPECT_EQ(first.packets[64'000], "veth64002");
  EXPECT_EQ(first.packets.back(), "(others)") << "more than a file can describe";
  EXPECT_EQ(finished("f.00002").named, (Strings{"1=lo"}));
  EXPECT_EQ(finished("f.00002").described, (Strings{"lo"}));
}

TEST(InterfaceNames, OfTheNewestThatAreGoneAreKept) {
  Names names;
  for (std::uint32_t index = 10; index < 10'000; ++index) {
    learn_interfaces(names, {{1, "lo"}, {index, "v" + std::to_string(index)}}, 100);
    ASSERT_LE(names.interfaces.size(), 202U);
    if (index > 200) {
      ASSERT_EQ(names.interface(index - 100), "v" + std::to_string(index - 100));
    }
  }
  EXPECT_EQ(names.interface(1), "lo") << "it exists";
  EXPECT_EQ(names.interface(20), "if20");
}

// ---- Where a file serves on as nothing can be written ----

pcapng::Blocks beginning(const std::string& interface) {
  pcapng::Blocks blocks;
  pcapng::append_section(blocks, "tcpwitness test", "Linux");
  const std::string body = mark_body(InterfaceMark{.index = 1, .name = interface});
  pcapng::append_block(blocks, mark_block, std::as_bytes(std::span(body)));
  return blocks;
}

pcapng::Blocks described(const std::string& interface) {
  pcapng::Blocks blocks;
  pcapng::append_interface(blocks, 1, 128, interface);
  return blocks;
}

pcapng::Blocks packet_of_first(std::size_t bytes) {
  pcapng::Blocks blocks;
  const Bytes frame(bytes);
  pcapng::append_packet(blocks, {.ts_ns = 1, .wire_len = 128, .bytes = frame});
  return blocks;
}

// The numbers of interfaces begin anew with each file, so the beginnings of two must not be mixed.
TEST(FileWriter, AFileThatServesOnHasOnlyItsSuccessorsInterfaces) {
  std::signal(SIGXFSZ, SIG_IGN);
  for (const bool holds_events : {false, true}) {
    const TempDir dir;
    std::mutex mutex;
    std::size_t said = 0;
    FileWriter writer({.retry_every = std::chrono::milliseconds(10)}, dir.file("a"), beginning("old"),
                      [&](const std::string&) {
                        const std::scoped_lock lock(mutex);
                        ++said;
                      });
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{4000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto wait = [&](auto condition) {
      for (int left = 1000; left > 0 && !condition(); --left) {
        writer.write({});
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    };
    writer.write(described("old"));
    if (holds_events) writer.write(packet_of_first(100));
    pcapng::Blocks much = described("older");
    for (int i = 0; i < 2; ++i) {
      const auto one = packet_of_first(6000);
      much.insert(much.end(), one.begin(), one.end());
    }
    writer.write(much);
    wait([&] {
      const std::scoped_lock lock(mutex);
      return said > 0;
    });
    writer.next_file(dir.file("b"), beginning("new"));
    writer.write(described("new"));
    writer.write(packet_of_first(5000));
    int left = 20;
    wait([&] { return --left == 0; });
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    left = 5;
    wait([&] { return --left == 0; });
    writer.write(packet_of_first(200));
    const RecordingTotals totals = writer.finish();
    EXPECT_EQ(totals.lost_blocks, 3U) << holds_events;
    EXPECT_EQ(dir.files(), (holds_events ? Strings{"a", "b"} : Strings{"a"}));
    const Contents last = contents_of(bytes_of_file(dir.file(holds_events ? "b" : "a")));
    EXPECT_FALSE(last.damaged);
    EXPECT_EQ(last.named, Strings{"1=new"});
    EXPECT_EQ(last.described, Strings{"new"});
    EXPECT_EQ(last.packets, Strings{"new"});
    std::uintmax_t bytes = 0;
    for (const std::string& name : dir.files()) bytes += std::filesystem::file_size(dir.file(name));
    EXPECT_EQ(totals.bytes, bytes);
    if (holds_events) {
      EXPECT_EQ(contents_of(bytes_of_file(dir.file("a"))).packets, Strings{"old"});
    }
  }
}

}  // namespace
}  // namespace tcpwitness::testing
