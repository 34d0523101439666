// SPDX-License-Identifier: Apache-2.0
#include "edge/logs/log_reader.hpp"

#include <gtest/gtest.h>

#include "keep/record/log_file.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMost = 4096;

class LogReaderTest : public testing::Test {
 protected:
  void write(const std::string& text) { file_.write(text.data(), text.size()); }

  // All that is there, from where it was read before.
  std::string read(std::size_t most = kMost) {
    std::string text;
    while (const auto chunk = read_log(log_, place_, most)) {
      EXPECT_LE(chunk->lines.size(), most);
      text += chunk->lines;
      place_ = chunk->next;
    }
    return text;
  }

  const base::TemporaryDirectory directory_;
  const base::fs::path log_ = directory_.path() / "app.log";
  const std::string name_ = log_.string();
  keep::LogFile file_{name_.c_str(), 100, 3};
  std::optional<LogPlace> place_;
};

TEST_F(LogReaderTest, ReadsEachLineOnceAndAHalfOneWhenItIsWhole) {
  EXPECT_EQ(read(), "");
  write("one\ntwo\nthr");
  EXPECT_EQ(read(), "one\ntwo\n");
  EXPECT_EQ(read(), "");
  write("ee\n");
  EXPECT_EQ(read(), "three\n");
}

TEST_F(LogReaderTest, GoesOnOverRotationsWithoutLosingOrRepeatingALine) {
  std::string written;
  std::string got;
  for (int i = 0; i < 300; ++i) {
    const std::string line = "line " + std::to_string(i) + '\n';
    write(line);
    written += line;
    // Three files of a hundred bytes are kept beside the one that is written.
    if (i % 25 == 7) got += read(64);
  }
  got += read();
  EXPECT_EQ(got, written);
  EXPECT_TRUE(base::fs::exists(name_ + ".3"));
}

TEST_F(LogReaderTest, GoesOnWithTheOldestWhereItsFileIsGone) {
  write("first\n");
  EXPECT_EQ(read(), "first\n");
  for (int i = 0; i < 200; ++i) write("line " + std::to_string(1000 + i) + '\n');
  const std::string got = read();
  EXPECT_TRUE(got.ends_with("line 1199\n"));
  EXPECT_EQ(got.find("first"), std::string::npos);
}

TEST_F(LogReaderTest, ALineThatIsLongerThanAChunkIsCut) {
  write(std::string(90, 'x') + '\n');
  EXPECT_EQ(read(64), std::string(90, 'x') + '\n');
}

TEST_F(LogReaderTest, OldFilesGoWhenTheyAreReadOrTakeTooMuch) {
  for (int i = 0; i < 40; ++i) write("line " + std::to_string(1000 + i) + '\n');
  ASSERT_TRUE(base::fs::exists(name_ + ".3"));
  remove_old_logs(log_, place_, true, 0);
  EXPECT_TRUE(base::fs::exists(name_ + ".3"));  // nothing was read
  remove_old_logs(log_, place_, false, 200);
  EXPECT_FALSE(base::fs::exists(name_ + ".3"));
  EXPECT_TRUE(base::fs::exists(name_ + ".2"));
  static_cast<void>(read());
  remove_old_logs(log_, place_, true, 0);
  EXPECT_FALSE(base::fs::exists(name_ + ".2"));
  EXPECT_FALSE(base::fs::exists(name_ + ".1"));
  EXPECT_TRUE(base::fs::exists(log_));
}

}  // namespace
}  // namespace andon::edge
