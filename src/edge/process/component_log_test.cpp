// SPDX-License-Identifier: Apache-2.0
#include "edge/process/component_log.hpp"

#include <gtest/gtest.h>

namespace andon::edge {
namespace {

class ComponentLogTest : public testing::Test {
 protected:
  std::string text(const std::string& suffix = "") const {
    return base::read_file_if_exists(path_.string() + suffix).value_or("none");
  }
  base::TemporaryDirectory directory_;
  base::fs::path path_ = directory_.path() / "app.log";
};

TEST_F(ComponentLogTest, AppendsAlsoToWhatAnEarlierAgentWrote) {
  ComponentLog(path_).write("one\n");
  ComponentLog(path_).write("two\n");
  EXPECT_EQ(text(), "one\ntwo\n");
}

TEST_F(ComponentLogTest, RotatesBySizeAndKeepsTheNewestOldFiles) {
  ComponentLog log(path_, {.max_bytes = 10, .files_kept = 2});
  for (const char* line : {"11111111\n", "22222222\n", "33333333\n", "44444444\n"}) log.write(line);
  EXPECT_EQ(text(), "44444444\n");
  EXPECT_EQ(text(".1"), "33333333\n");
  EXPECT_EQ(text(".2"), "22222222\n");
  EXPECT_EQ(text(".3"), "none");
}

TEST_F(ComponentLogTest, ALineThatIsLargerThanAFileIsKeptWhole) {
  ComponentLog log(path_, {.max_bytes = 10, .files_kept = 1});
  log.write(std::string(100, 'x'));
  log.write("y");
  EXPECT_EQ(text(), "y");
  EXPECT_EQ(text(".1"), std::string(100, 'x'));
}

TEST_F(ComponentLogTest, RemembersTheLastWordsForTheReasonOfAFailure) {
  ComponentLog log(path_);
  log.write(std::string(1000, 'a'));
  log.write("no camera found");
  EXPECT_EQ(log.tail().size(), 1000U);
  EXPECT_TRUE(log.tail().ends_with("no camera found"));
  log.forget_tail();
  EXPECT_EQ(log.tail(), "");
}

TEST_F(ComponentLogTest, WhatCannotBeWrittenIsLostAndLaterLinesAreNot) {
  const base::fs::path folder = directory_.path() / "logs";
  ComponentLog log(folder / "app.log");
  log.write("lost\n");
  base::make_directories(folder, 0755);
  log.write("kept\n");
  EXPECT_EQ(base::read_file(folder / "app.log"), "kept\n");
}

}  // namespace
}  // namespace andon::edge
