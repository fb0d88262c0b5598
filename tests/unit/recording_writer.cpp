// SPDX-License-Identifier: Apache-2.0
// A file that cannot be made, a disk that is full, a reader that stands still: said once, counted, tried again; what
// is in the file stays whole.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "recording/file_writer.hpp"
#include "unit/recorded.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness::testing {
namespace {

using namespace std::chrono_literals;

pcapng::Blocks prologue() {
  pcapng::Blocks blocks;
  pcapng::append_section(blocks, "tcpwitness test", "Linux");
  return blocks;
}

// One journal block of about `bytes`.
pcapng::Blocks block_of(std::size_t bytes, char letter = 'x') {
  JournalEntry entry;
  entry.text("__REALTIME_TIMESTAMP", "1");
  entry.text("MESSAGE", std::string(bytes, letter));
  pcapng::Blocks blocks;
  pcapng::append_block(blocks, pcapng::journal_block, entry.bytes());
  return blocks;
}

struct Said {
  std::mutex mutex;
  std::vector<std::string> lines;
  FileWriter::Notice notice() {
    return [this](const std::string& text) {
      const std::scoped_lock lock(mutex);
      lines.push_back(text);
    };
  }
  bool anything() {
    const std::scoped_lock lock(mutex);
    return !lines.empty();
  }
};

// As a recorder does whose events have ceased: what found the lock taken is handed over the next time.
void idle(FileWriter& writer, std::chrono::milliseconds time) {
  for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
    writer.write({});
    std::this_thread::sleep_for(1ms);
  }
}

// However busy the machine is.
template <typename Condition>
void idle_until(FileWriter& writer, Condition condition) {
  for (int left = 1000; left > 0 && !condition(); --left) idle(writer, 5ms);
}

FileWriter::Settings quick() { return {.keep = 0, .retry_every = 10ms, .give_up_after = 300ms}; }

std::size_t blocks_in(const std::string& path, std::size_t& whole) {
  const Bytes bytes = bytes_of_file(path);
  std::size_t count = 0;
  whole = pcapng::for_each_block(bytes, [&](auto, auto) { ++count; });
  return count;
}

TEST(FileWriter, WritesEverything) {
  const TempDir dir;
  Said said;
  FileWriter writer({}, dir.file("a"), prologue(), said.notice());
  for (int i = 0; i < 100; ++i) writer.write(block_of(1000));
  const RecordingTotals totals = writer.finish();
  EXPECT_EQ(totals.blocks, 101U);
  EXPECT_EQ(totals.lost_blocks, 0U);
  EXPECT_FALSE(totals.failed);
  EXPECT_EQ(totals.bytes, bytes_of_file(dir.file("a")).size());
  EXPECT_TRUE(said.lines.empty());
}

TEST(FileWriter, AFirstFileThatCannotBeMadeIsAnErrorAtOnce) {
  const TempDir dir;
  Said said;
  const FileWriter writer(quick(), dir.file("no/a"), prologue(), said.notice());
  ASSERT_TRUE(writer.wrong());
  EXPECT_NE(writer.wrong()->message().find("No such file or directory"), std::string::npos)
      << writer.wrong()->message();
  EXPECT_TRUE(said.lines.empty());
}

TEST(FileWriter, SaysThatALaterFileCannotBeMadeAndMakesItAsSoonAsItCan) {
  const TempDir dir;
  Said said;
  FileWriter writer(quick(), dir.file("a"), prologue(), said.notice());
  EXPECT_FALSE(writer.wrong());
  writer.next_file(dir.file("later/a"), prologue());
  writer.write(block_of(10));
  idle_until(writer, [&] { return said.anything(); });
  idle(writer, 2 * quick().retry_every);
  std::filesystem::create_directory(dir.file("later"));
  writer.write(block_of(20));
  const RecordingTotals totals = writer.finish();
  // The first alone, but on a busy machine none or both. Section, hole (mark and row), what is left.
  const std::uint64_t lost = totals.lost_blocks;
  ASSERT_LE(lost, 2U);
  EXPECT_TRUE(totals.failed);
  std::size_t whole = 0;
  EXPECT_EQ(blocks_in(dir.file("later/a"), whole), 1 + (lost > 0 ? 2 : 0) + (2 - lost));
  EXPECT_EQ(whole, bytes_of_file(dir.file("later/a")).size());
  ASSERT_EQ(said.lines.size(), 2U);
  EXPECT_NE(said.lines[0].find("cannot create the recording"), std::string::npos) << said.lines[0];
  EXPECT_NE(said.lines[0].find("No such file or directory"), std::string::npos) << said.lines[0];
}

// Nothing came after the last loss, so only the end can mark it.
TEST(FileWriter, MarksAtItsEndWhatIsMissing) {
  const TempDir dir;
  Said said;
  FileWriter::Settings settings = quick();
  settings.retry_every = 1h;
  FileWriter writer(settings, dir.file("a"), prologue(), said.notice());
  writer.next_file(dir.file("later/a"), prologue());
  writer.write(block_of(10));
  idle_until(writer, [&] { return said.anything(); });
  idle(writer, 10ms);  // the block, too, is given up
  std::filesystem::create_directory(dir.file("later"));
  const std::uint64_t lost = writer.finish().lost_blocks;
  ASSERT_LE(lost, 1U);  // on a busy machine none
  std::size_t whole = 0;
  EXPECT_EQ(blocks_in(dir.file("later/a"), whole), lost == 1 ? 3U : 2U);  // section, hole (mark and row) or block
  EXPECT_EQ(said.lines.size(), 2U);
}

TEST(FileWriter, ItsFileIsForItsOwnerAlone) {
  const TempDir dir;
  Said said;
  std::ofstream(dir.file("old")) << "of an earlier run";
  ASSERT_EQ(::chmod(dir.file("old").c_str(), 0666), 0);
  for (const char* name : {"new", "old"}) {
    FileWriter writer({}, dir.file(name), prologue(), said.notice());
    writer.finish();
    struct stat file{};
    ASSERT_EQ(::stat(dir.file(name).c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U) << name;
  }
}

TEST(FileWriter, ASecondOneOfTheSameFileIsRefusedAndHarmsNothing) {
  const TempDir dir;
  Said said;
  FileWriter first({}, dir.file("a"), prologue(), said.notice());
  first.write(block_of(1000));
  {
    const FileWriter second({}, dir.file("a"), prologue(), said.notice());
    ASSERT_TRUE(second.wrong());
    EXPECT_NE(second.wrong()->message().find("another process is recording into it"), std::string::npos);
  }
  first.write(block_of(1000));
  EXPECT_EQ(first.finish().blocks, 3U);
  std::size_t whole = 0;
  EXPECT_EQ(blocks_in(dir.file("a"), whole), 3U);
  FileWriter third({}, dir.file("a"), prologue(), said.notice());
  EXPECT_FALSE(third.wrong()) << "it is free again";
}

TEST(FileWriter, SomebodyElsesLinkIsNotFollowed) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root: a link of another user cannot be made";
  const TempDir dir;
  Said said;
  std::ofstream(dir.file("target")) << "precious";
  std::filesystem::create_symlink(dir.file("target"), dir.file("link"));
  ASSERT_EQ(::lchown(dir.file("link").c_str(), 65534, 65534), 0);
  const FileWriter writer({}, dir.file("link"), prologue(), said.notice());
  ASSERT_TRUE(writer.wrong());
  EXPECT_NE(writer.wrong()->message().find("symbolic link"), std::string::npos) << writer.wrong()->message();
  EXPECT_EQ(std::filesystem::file_size(dir.file("target")), 8U);
  std::filesystem::create_symlink(dir.file("target"), dir.file("own"));
  FileWriter own({}, dir.file("own"), prologue(), said.notice());
  EXPECT_FALSE(own.wrong()) << "one's own link may be meant";
}

TEST(FileWriter, AFileOfSomebodyElseIsNotFilled) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root: a file of another user cannot be made";
  const TempDir dir;
  Said said;
  std::ofstream(dir.file("theirs")) << "precious";
  ASSERT_EQ(::chown(dir.file("theirs").c_str(), 65534, 65534), 0);
  const FileWriter writer({}, dir.file("theirs"), prologue(), said.notice());
  ASSERT_TRUE(writer.wrong());
  EXPECT_EQ(std::filesystem::file_size(dir.file("theirs")), 8U);
}

// A disk that is full from the second file on: /dev/full stands for it, as nothing can be written to it.
TEST(FileWriter, AnOldFileGoesOnlyWhenItsSuccessorHoldsEvents) {
  const TempDir dir;
  Said said;
  FileWriter::Settings settings = quick();
  settings.keep = 1;
  FileWriter writer(settings, dir.file("a"), prologue(), said.notice());
  writer.write(block_of(1000));
  std::filesystem::create_symlink("/dev/full", dir.file("b"));
  writer.next_file(dir.file("b"), prologue());
  writer.write(block_of(1000));
  idle(writer, 30ms);
  EXPECT_TRUE(std::filesystem::exists(dir.file("a"))) << "nothing new is on the disk";
  writer.next_file(dir.file("c"), prologue());
  idle(writer, 30ms);
  EXPECT_TRUE(std::filesystem::exists(dir.file("a"))) << "it has no event yet";
  writer.write(block_of(1000));
  const RecordingTotals totals = writer.finish();
  EXPECT_FALSE(std::filesystem::exists(dir.file("a")));
  EXPECT_TRUE(std::filesystem::exists(dir.file("c")));
  EXPECT_EQ(totals.lost_blocks, 1U);
}

// A disk of 64 KiB that somebody else has filled, behind the first file.
void rotate_on_a_full_disk(bool freed) {
  const TempDir dir;
  const std::string disk = dir.file("disk");
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "no tmpfs may be mounted here";
  Said said;
  RecordingTotals totals;
  {
    FileWriter writer(quick(), disk + "/a", prologue(), said.notice());
    writer.write(block_of(1000));
    idle(writer, 30ms);
    std::ofstream(disk + "/filler") << std::string(64 << 10, 'f');
    for (const char* name : {"/b", "/c", "/d"}) {
      writer.next_file(disk + name, prologue());
      writer.write(block_of(5000));
      idle(writer, 30ms);
    }
    std::filesystem::remove(disk + "/filler");
    if (!freed) std::ofstream(disk + "/filler") << std::string(64 << 10, 'f');
    idle(writer, 20ms);
    writer.write(block_of(20));
    totals = writer.finish();
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(disk)) files.push_back(entry.path().filename());
  std::ranges::sort(files);
  const std::vector<std::string> expected =
      freed ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"a", "filler"};
  EXPECT_EQ(files, expected);
  EXPECT_EQ(totals.file, disk + (freed ? "/b" : "/a"));
  EXPECT_EQ(totals.files, freed ? 2U : 1U);
  EXPECT_EQ(totals.lost_blocks, freed ? 3U : 4U);
  EXPECT_EQ(said.lines.size(), freed ? 2U : 1U);
  for (const std::string& line : said.lines) EXPECT_NE(line.find(disk + "/b"), std::string::npos) << line;
  std::size_t whole = 0;
  if (freed) {
    EXPECT_EQ(blocks_in(disk + "/b", whole), 4U);  // section, hole (mark and row), block
  }
  ::umount2(disk.c_str(), MNT_DETACH);
}

TEST(FileWriter, WhileTheDiskIsFullOneFileWaitsAndItsSuccessorsAreNotBegun) { rotate_on_a_full_disk(true); }

TEST(FileWriter, ADiskThatStaysFullIsLeftWithoutAnEmptyFile) { rotate_on_a_full_disk(false); }

TEST(FileWriter, AFileThatIsRemovedMeanwhileIsSaidToBeGone) {
  for (const bool removed : {false, true}) {
    const TempDir dir;
    Said said;
    FileWriter writer(quick(), dir.file("a"), prologue(), said.notice());
    writer.write(block_of(1000));
    std::filesystem::rename(dir.file("a"), dir.file("b"));  // that does it no harm
    if (removed) std::filesystem::remove(dir.file("b"));
    const RecordingTotals totals = writer.finish();
    EXPECT_EQ(totals.failed, removed);
    ASSERT_EQ(said.lines.size(), removed ? 1U : 0U);
    if (removed) {
      EXPECT_NE(said.lines[0].find("was removed"), std::string::npos) << said.lines[0];
    }
  }
}

TEST(FileWriter, AFileThatIsCutOffMeanwhileIsSaidToBe) {
  for (const bool written_since : {false, true}) {
    const TempDir dir;
    Said said;
    FileWriter writer(quick(), dir.file("a"), prologue(), said.notice());
    writer.write(block_of(1000));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::filesystem::file_size(dir.file("a")) < 1000 && std::chrono::steady_clock::now() < until) ::usleep(1000);
    std::filesystem::resize_file(dir.file("a"), 0);
    if (written_since) writer.write(block_of(1000));
    const RecordingTotals totals = writer.finish();
    EXPECT_TRUE(totals.failed);
    ASSERT_EQ(said.lines.size(), 1U);
    EXPECT_NE(said.lines[0].find("was cut off"), std::string::npos) << said.lines[0];
  }
}

TEST(FileWriter, ADeviceThatIsFullLosesEverythingAndSaysSoOnce) {
  Said said;
  FileWriter writer(quick(), "/dev/full", prologue(), said.notice());
  for (int i = 0; i < 10; ++i) {
    writer.write(block_of(1000));
    idle(writer, 5ms);
  }
  const RecordingTotals totals = writer.finish();
  EXPECT_EQ(totals.blocks, 0U);
  EXPECT_EQ(totals.lost_blocks, 10U);
  ASSERT_EQ(said.lines.size(), 1U);
  EXPECT_NE(said.lines[0].find("No space left on device"), std::string::npos) << said.lines[0];
}

TEST(FileWriter, AFileThatMayNotGrowEndsWithAWholeBlockAndGoesOnWithAHole) {
  const TempDir dir;
  Said said;
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  RecordingTotals totals;
  {
    FileWriter writer(quick(), dir.file("a"), prologue(), said.notice());
    const rlimit small{10'500, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    pcapng::Blocks many;
    for (int i = 0; i < 20; ++i) {
      const auto one = block_of(1000);
      many.insert(many.end(), one.begin(), one.end());
    }
    writer.write(many);
    idle(writer, 50ms);
    std::size_t whole = 0;
    blocks_in(dir.file("a"), whole);
    EXPECT_EQ(whole, std::filesystem::file_size(dir.file("a")));  // nothing in part
    EXPECT_GT(whole, 9'000U);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    writer.write(block_of(5));
    totals = writer.finish();
  }
  EXPECT_EQ(totals.lost_blocks, 11U);
  std::size_t whole = 0;
  EXPECT_EQ(blocks_in(dir.file("a"), whole), 1U + 9U + 2U + 1U);
  EXPECT_EQ(whole, std::filesystem::file_size(dir.file("a")));
  EXPECT_EQ(totals.blocks, 13U);
}

// Standard output is this file, as of a shell's > and >>.
class StandardOutput {
 public:
  StandardOutput(const std::string& path, int flags, off_t from = 0) {
    std::fflush(stdout);
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags));
    ::lseek(file.get(), from, SEEK_SET);
    ::dup2(file.get(), STDOUT_FILENO);
  }
  ~StandardOutput() { ::dup2(before_.get(), STDOUT_FILENO); }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

 private:
  UniqueFd before_{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
};

// A recording to standard output, a file that holds 5,000 bytes already and may not grow beyond 12,000 for a while.
RecordingTotals record_behind_others(const std::string& path, int flags, off_t from, Said& said) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{12'000, before.rlim_max};
  const StandardOutput output(path, flags, from);
  FileWriter writer(quick(), "-", prologue(), said.notice());
  ::setrlimit(RLIMIT_FSIZE, &small);
  pcapng::Blocks many;
  for (int i = 0; i < 20; ++i) {
    const auto one = block_of(1000);
    many.insert(many.end(), one.begin(), one.end());
  }
  writer.write(many);
  idle_until(writer, [&] { return said.anything(); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  idle(writer, 30ms);
  writer.write(block_of(5));
  return writer.finish();
}

TEST(FileWriter, WhatStandardOutputHeldBeforeStays) {
  const std::string others(5000, 'o');
  for (const bool appends : {false, true}) {
    const TempDir dir;
    Said said;
    std::ofstream(dir.file("a")) << others;
    const RecordingTotals totals =
        record_behind_others(dir.file("a"), appends ? O_APPEND : 0, appends ? 0 : 5000, said);
    const Bytes bytes = bytes_of_file(dir.file("a"));
    ASSERT_GT(bytes.size(), others.size());
    EXPECT_TRUE(std::ranges::equal(std::span(bytes).first(others.size()), std::as_bytes(std::span(others)))) << appends;
    std::size_t count = 0;
    const auto recording = std::span(bytes).subspan(others.size());
    EXPECT_EQ(pcapng::for_each_block(recording, [&](auto, auto) { ++count; }), recording.size()) << "nothing in part";
    EXPECT_EQ(count, totals.blocks);
    EXPECT_EQ(count, 1U + 6U + 2U + 1U) << appends;  // section, what fitted, hole (mark and row), block
    ASSERT_EQ(said.lines.size(), 2U);
    for (const std::string& line : said.lines)
      EXPECT_NE(line.find("the recording to standard output"), std::string::npos) << line;
  }
}

TEST(FileWriter, WhatStandardOutputHoldsBehindThePlaceOfWritingStays) {
  const TempDir dir;
  Said said;
  const std::string others(30'000, 'o');
  std::ofstream(dir.file("a")) << others;
  const RecordingTotals totals = record_behind_others(dir.file("a"), 0, 5000, said);
  const Bytes bytes = bytes_of_file(dir.file("a"));
  ASSERT_EQ(bytes.size(), others.size());
  for (const std::size_t at : {std::size_t{4999}, std::size_t{12'000}, others.size() - 1})
    EXPECT_EQ(bytes[at], std::byte{'o'}) << at;
  EXPECT_EQ(totals.blocks, 1U + 6U) << "half a block stands there: nothing behind it could be read";
  EXPECT_EQ(totals.lost_blocks, 15U);
  ASSERT_EQ(said.lines.size(), 1U);
  EXPECT_EQ(said.lines[0].find("tried again"), std::string::npos) << said.lines[0];
}

// Those of an earlier run, too; nobody else's.
TEST(FileWriter, AllFilesTogetherStayBelowTheLimit) {
  const TempDir dir;
  Said said;
  const std::string pattern = dir.file("f-%Y.pcapng");
  for (const char* name : {"f-2001.pcapng", "f-2002.00002.pcapng", "f-20022.pcapng", "g-2001.pcapng"})
    std::ofstream(dir.file(name)) << std::string(100'000, 'x');
  std::filesystem::last_write_time(dir.file("f-2001.pcapng"), std::filesystem::file_time_type::clock::now() - 2h);
  std::filesystem::last_write_time(dir.file("f-2002.00002.pcapng"), std::filesystem::file_time_type::clock::now() - 1h);
  FileWriter::Settings settings = quick();
  settings.pattern = pattern;
  settings.limits = {.total_bytes = 250'000, .longest = {}};
  settings.look_after_bytes = 10'000;
  FileWriter writer(settings, dir.file("f-2026.pcapng"), prologue(), said.notice());
  const auto wait_for = [&](std::size_t blocks) {
    for (int i = 0; i < 500 && bytes_of_file(dir.file("f-2026.pcapng")).size() < blocks * 20'000; ++i)
      idle(writer, 10ms);
  };
  writer.write(block_of(20'000));
  wait_for(1);
  using Names = std::vector<std::string>;
  EXPECT_EQ(dir.files(),
            (Names{"f-2001.pcapng", "f-2002.00002.pcapng", "f-20022.pcapng", "f-2026.pcapng", "g-2001.pcapng"}));
  for (int i = 0; i < 9; ++i) writer.write(block_of(20'000));
  writer.finish();
  EXPECT_EQ(dir.files(), (Names{"f-20022.pcapng", "f-2026.pcapng", "g-2001.pcapng"}));
}

TEST(FileWriter, WhatIsTooOldGoesWithoutAnythingBeingWritten) {
  const TempDir dir;
  Said said;
  std::ofstream(dir.file("f.00002")) << "old";
  std::filesystem::last_write_time(dir.file("f.00002"), std::filesystem::file_time_type::clock::now() - 2h);
  std::ofstream(dir.file("f.00003")) << "young";
  FileWriter::Settings settings = quick();
  settings.pattern = dir.file("f");
  settings.limits = {.total_bytes = 0, .longest = 1h};
  settings.look_every = 20ms;
  FileWriter writer(settings, dir.file("f"), prologue(), said.notice());
  idle_until(writer, [&] { return dir.files().size() == 2; });
  EXPECT_EQ(dir.files(), (std::vector<std::string>{"f", "f.00003"}));  // at its beginning
  std::filesystem::last_write_time(dir.file("f.00003"), std::filesystem::file_time_type::clock::now() - 2h);
  for (int i = 0; i < 500 && dir.files().size() > 1; ++i) idle(writer, 10ms);
  EXPECT_EQ(dir.files(), (std::vector<std::string>{"f"}));
  std::filesystem::last_write_time(dir.file("f"), std::filesystem::file_time_type::clock::now() - 2h);
  idle(writer, 60ms);
  writer.finish();
  EXPECT_EQ(dir.files(), (std::vector<std::string>{"f"}));  // the current one stays
}

// Its directory's name can be written in several ways, and what is found in it is named in one.
TEST(FileWriter, TheOpenFileStaysHoweverItsPathIsWritten) {
  for (const char* way : {"//f", "/./f", "/sub/../f", "/link//f"}) {
    const TempDir dir;
    Said said;
    std::filesystem::create_directory(dir.file("sub"));
    std::filesystem::create_directory_symlink(".", dir.file("link"));
    std::ofstream(dir.file("f.00002")) << std::string(1000, 'o');
    FileWriter::Settings settings = quick();
    settings.pattern = dir.file("") + way;
    settings.limits = {.total_bytes = 4000, .longest = 1h};
    settings.look_every = 10ms;
    FileWriter writer(settings, settings.pattern, prologue(), said.notice());
    writer.write(block_of(8000));
    idle_until(writer, [&] { return bytes_of_file(dir.file("f")).size() > 8000 && dir.files().size() == 3; });
    std::filesystem::last_write_time(dir.file("f"), std::filesystem::file_time_type::clock::now() - 2h);
    idle(writer, 50ms);
    const RecordingTotals totals = writer.finish();
    EXPECT_FALSE(totals.failed) << way;
    EXPECT_EQ(dir.files(), (std::vector<std::string>{"f", "link", "sub"})) << way;
  }
}

TEST(FileWriter, WhatAnotherRecorderWritesStays) {
  for (const bool being_written : {true, false}) {
    const TempDir dir;
    Said said;
    const auto other = std::make_unique<FileWriter>(quick(), dir.file("f.00007"), prologue(), said.notice());
    idle_until(*other, [&] { return !bytes_of_file(dir.file("f.00007")).empty(); });
    if (!being_written) other->finish();
    std::filesystem::last_write_time(dir.file("f.00007"), std::filesystem::file_time_type::clock::now() - 2h);
    FileWriter::Settings settings = quick();
    settings.pattern = dir.file("f");
    settings.limits = {.total_bytes = 0, .longest = 1h};
    FileWriter writer(settings, dir.file("f"), prologue(), said.notice());
    writer.finish();
    EXPECT_EQ(std::filesystem::exists(dir.file("f.00007")), being_written);
  }
}

TEST(FileWriter, NeverGivesUpAnInterfaceThatLaterPacketsName) {
  const TempDir dir;
  Said said;
  FileWriter writer(quick(), dir.file("a"), prologue(), said.notice());
  writer.next_file(dir.file("later/a"), prologue());
  pcapng::Blocks interface;
  pcapng::append_interface(interface, 1, 128, "eth0");
  writer.write(interface);
  writer.write(block_of(10));
  idle_until(writer, [&] { return said.anything(); });
  idle(writer, 50ms);
  std::filesystem::create_directory(dir.file("later"));
  idle(writer, 20ms);
  writer.write(block_of(20));
  EXPECT_EQ(writer.finish().lost_blocks, 1U);
  std::vector<std::uint32_t> types;
  pcapng::for_each_block(bytes_of_file(dir.file("later/a")), [&](std::uint32_t type, auto) { types.push_back(type); });
  EXPECT_EQ(types, (std::vector<std::uint32_t>{pcapng::section_block, pcapng::interface_block, mark_block,
                                               pcapng::journal_block, pcapng::journal_block}));
}

TEST(FileWriter, AReaderThatStandsStillHoldsNobodyUp) {
  const TempDir dir;
  Said said;
  ASSERT_EQ(::mkfifo(dir.file("pipe").c_str(), 0600), 0);
  const int reader = ::open(dir.file("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  FileWriter::Settings settings = quick();
  settings.queue_bytes = 1 << 20;
  FileWriter writer(settings, dir.file("pipe"), prologue(), said.notice());
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 400; ++i) writer.write(block_of(10'000));
  // However busy the machine is: whoever waits for this reader waits for ever.
  EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
  const RecordingTotals totals = writer.finish();
  EXPECT_EQ(totals.blocks + totals.lost_blocks, 401U);
  EXPECT_GT(totals.lost_blocks, 300U);
  EXPECT_TRUE(totals.failed);
  ::close(reader);
}

TEST(FileWriter, APipeThatNobodyReadsIsAnError) {
  const TempDir dir;
  Said said;
  ASSERT_EQ(::mkfifo(dir.file("pipe").c_str(), 0600), 0);
  const FileWriter writer(quick(), dir.file("pipe"), prologue(), said.notice());
  EXPECT_TRUE(writer.wrong());
}

}  // namespace
}  // namespace tcpwitness::testing
