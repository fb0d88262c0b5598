// SPDX-License-Identifier: Apache-2.0
// picture_test.cpp: the file that a picture is written to: what it was before, and what becomes of it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "read/capture_bytes.hpp"
#include "read/program.hpp"

namespace tcpwitness::read_test {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_page(const std::string& text) { return text.starts_with("<!doctype html>") && text.ends_with("</html>\n"); }

TEST(ReadPicture, WhatIsReadIsNotWrittenOver) {
  const Directory directory;
  const std::string bytes = Capture().whole(1).bytes;
  const std::string same = directory.file("same.html", bytes);
  const std::string link = directory.path("link.html");
  const std::string name = directory.path("name.html");
  ASSERT_EQ(::symlink("same.html", link.c_str()), 0);
  ASSERT_EQ(::link(same.c_str(), name.c_str()), 0);
  for (const std::string& path : {same, link, name}) {
    const ProgramOutput reported = tcpwitness({"picture", same, "-o", path});
    EXPECT_EQ(reported.status, 1) << reported.err;
    EXPECT_TRUE(reported.err.contains("it is the file that is read")) << reported.err;
    EXPECT_EQ(content(same), bytes);
  }
}

std::vector<std::string> names_in(const Directory& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path("")))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

TEST(ReadPicture, TheFileKeepsItsModeAndALinkIsALink) {
  const Directory directory;
  const std::string capture = directory.file("x.pcap", Capture().whole(1).bytes);
  const std::string page = directory.file("page.html", "before");
  const std::string link = directory.path("link.html");
  ASSERT_EQ(::chmod(page.c_str(), 0640), 0);
  EXPECT_EQ(tcpwitness({"picture", capture, "-o", page}).status, 0);
  EXPECT_TRUE(is_page(content(page)));
  struct stat now{};
  ASSERT_EQ(::stat(page.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 07777U, 0640U);
  const std::string target = directory.file("target.html", "before");
  ASSERT_EQ(::symlink("target.html", link.c_str()), 0);
  EXPECT_EQ(tcpwitness({"picture", capture, "-o", link}).status, 0);
  EXPECT_TRUE(is_page(content(target)));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(tcpwitness({"picture", capture, "-o", directory.path("new.html")}).status, 0);
  EXPECT_EQ(names_in(directory),
            (std::vector<std::string>{"link.html", "new.html", "page.html", "target.html", "x.pcap"}));
}

TEST(ReadPicture, WhatIsNoFileIsWrittenTo) {
  const Directory directory;
  const std::string capture = directory.file("x.pcap", Capture().whole(1).bytes);
  const std::string out = directory.path("out.html");
  ASSERT_EQ(::symlink("/dev/stdout", out.c_str()), 0);
  const ProgramOutput reported = tcpwitness({"picture", capture, "-o", out});
  EXPECT_EQ(reported.status, 0) << reported.err;
  EXPECT_TRUE(is_page(reported.out));
  const std::string pipe = directory.path("pipe.html");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const ProgramOutput nobody = tcpwitness({"picture", capture, "-o", pipe});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_TRUE(nobody.err.contains("No such device or address")) << nobody.err;
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  Program program({"picture", capture, "-o", pipe});
  EXPECT_TRUE(is_page(content(pipe)));
  EXPECT_EQ(program.wait().status, 0);
  ::close(reader);
}

// In a directory that all may write to.
TEST(ReadPicture, TheLinkOfAnotherUserIsNotFollowed) {
  if (::geteuid() != 0) GTEST_SKIP() << "another user's link is made as root";
  const Directory directory;
  const std::string capture = directory.file("x.pcap", Capture().whole(1).bytes);
  const std::string target = directory.file("target.html", "before");
  const std::string link = directory.path("link.html");
  ASSERT_EQ(::symlink("target.html", link.c_str()), 0);
  ASSERT_EQ(::lchown(link.c_str(), 65534, 65534), 0);
  const ProgramOutput reported = tcpwitness({"picture", capture, "-o", link});
  EXPECT_EQ(reported.status, 1);
  EXPECT_TRUE(reported.err.contains("belongs to another user")) << reported.err;
  EXPECT_EQ(content(target), "before");
}

// Nobody opens half a page, and what was there is not lost for nothing.
TEST(ReadPicture, AKilledRunLeavesWhatWasThere) {
  for (const bool there : {false, true}) {
    const Directory directory;
    const std::string page = directory.path("page.html");
    if (there) static_cast<void>(directory.file("page.html", "before"));
    Program program({"picture", "-", "-o", page}, {.input = true});
    program.give(Capture().whole(1).bytes);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const std::size_t before = there ? 1 : 0;
    while (names_in(directory).size() == before && std::chrono::steady_clock::now() < until) ::usleep(5000);
    EXPECT_EQ(names_in(directory).size(), before + 1) << "it has not begun";
    program.signal(SIGKILL);
    static_cast<void>(program.wait());
    while (names_in(directory).size() != before && std::chrono::steady_clock::now() < until) ::usleep(5000);
    EXPECT_EQ(names_in(directory), there ? std::vector<std::string>{"page.html"} : std::vector<std::string>{});
    if (there) {
      EXPECT_EQ(content(page), "before");
    }
  }
}

}  // namespace
}  // namespace tcpwitness::read_test
