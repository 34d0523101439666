// SPDX-License-Identifier: Apache-2.0
#include "control/logs/log_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/fake_clock.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LogWriterTest : public testing::Test {
 protected:
  std::vector<std::string> all(const std::string& group, const std::string& stream) {
    std::vector<std::string> found;
    for (const LogEvent& event : logs_.read(group, stream, {}).events) {
      found.push_back(event.message);
    }
    return found;
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "logs.db");
  Logs logs_{*database_, clock_, {}};
};

TEST_F(LogWriterTest, LinesComeInOrderIntoStreamsThatItMakes) {
  logs_.create_group({.name = "g"});
  LogWriter writer(logs_);
  writer.write("g", "a", {clock_.now(), "1"});
  writer.write("g", "b", {clock_.now(), "2"});
  writer.write("g", "a", {clock_.now() - std::chrono::hours(1), "3"});  // the clock was set back
  writer.write("g", "a", {clock_.now(), std::string("4 \xFF")});
  writer.flush();
  EXPECT_THAT(all("g", "b"), ElementsAre("2"));
  const auto a = logs_.search("g", {.streams = {"a"}}).events;
  ASSERT_EQ(a.size(), 3U);
  EXPECT_EQ(writer.counts().written, 4U);
  EXPECT_EQ(writer.counts().dropped, 0U);
}

TEST_F(LogWriterTest, WhatIsForAGroupThatIsNotThereHoldsUpNobody) {
  logs_.create_group({.name = "g"});
  LogWriter writer(logs_);
  writer.write("none", "s", {clock_.now(), "lost"});
  writer.write("g", "s", {clock_.now(), "kept"});
  writer.flush();
  EXPECT_THAT(all("g", "s"), ElementsAre("kept"));
  EXPECT_EQ(writer.counts().dropped, 1U);
}

TEST_F(LogWriterTest, ALongLineIsCut) {
  logs_.create_group({.name = "g"});
  LogWriter writer(logs_);
  writer.write("g", "s", {clock_.now(), std::string(2U << 20U, 'x')});
  writer.flush();
  EXPECT_EQ(all("g", "s").front().size(), Logs::kBatchBytes - Logs::kLineBytes);
}

TEST_F(LogWriterTest, WhatIsQueuedIsWrittenAtTheEnd) {
  logs_.create_group({.name = "g"});
  {
    LogWriter writer(logs_);
    for (int i = 0; i < 5000; ++i) writer.write("g", "s", {clock_.now(), std::to_string(i)});
  }
  EXPECT_EQ(all("g", "s").size(), 5000U);
}

TEST_F(LogWriterTest, WhatHasNoRoomIsDroppedAndTheStreamSaysSo) {
  logs_.create_group({.name = "g"});
  LogWriter writer(logs_, {.queued_bytes = 1000});
  // A reader's snapshot does not hold it up, a writer's lock does.
  database_->write([&](store::Transaction& tx) {
    tx.execute("UPDATE log_totals SET bytes = bytes");
    for (int i = 0; i < 100; ++i) writer.write("g", "s", {clock_.now(), std::string(74, 'x')});
  });
  writer.flush();
  const auto dropped = writer.counts().dropped;
  EXPECT_GE(dropped, 90U - 10U);
  writer.write("g", "s", {clock_.now(), "after"});
  writer.flush();
  const auto lines = all("g", "s");
  EXPECT_EQ(lines.back(), "after");
  EXPECT_THAT(lines[lines.size() - 2], HasSubstr(std::to_string(dropped) + " lines"));
}

}  // namespace
}  // namespace andon::control
