// SPDX-License-Identifier: Apache-2.0
// picture_test.cpp: the file that a picture is written to: what it was before, and what becomes of it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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

}  // namespace
}  // namespace tcpwitness::read_test
