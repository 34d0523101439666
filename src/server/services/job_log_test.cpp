// SPDX-License-Identifier: Apache-2.0
#include "server/services/job_log.hpp"

#include <gmock/gmock.h>

#include "base/testing/fake_clock.hpp"

namespace andon::server {
namespace {

using testing::ElementsAre;

class JobLogTest : public testing::Test {
 protected:
  static job::JobOrder order(const std::string& id) {
    job::JobOrder order;
    order.id = id;
    order.execution_arn = "arn:aws:states:us-east-1:000000000000:execution:ship/Each:run-7";
    order.state = "Train: all*";
    return order;
  }
  std::vector<std::string> lines(const std::string& stream) {
    std::vector<std::string> found;
    for (const auto& event : logs_.read(JobLog::kGroup, stream, {}).events) {
      found.push_back(event.message);
    }
    return found;
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "logs.db");
  control::Logs logs_{*database_, clock_, {.groups = 1}};
};

TEST_F(JobLogTest, EachJobHasAStreamAndTheGroupIsMadeWithTheFirstLine) {
  JobLog log(logs_, clock_);
  EXPECT_FALSE(logs_.find_group(JobLog::kGroup));
  log.write(order("a"), "1");
  log.write(order("b"), "2");
  log.write(order("a"), "3");
  log.flush();
  EXPECT_THAT(lines("ship/Each/run-7/a"), ElementsAre("1", "3"));
  EXPECT_THAT(lines("ship/Each/run-7/b"), ElementsAre("2"));
  EXPECT_EQ(log.counts().written, 3U);
}

TEST_F(JobLogTest, AGroupThatWasDeletedIsNotMadeAgainUntilTheNextStart) {
  {
    JobLog log(logs_, clock_);
    log.write(order("a"), "1");
    log.flush();
    logs_.remove_group(JobLog::kGroup);
    log.write(order("a"), "2");
    log.flush();
    EXPECT_FALSE(logs_.find_group(JobLog::kGroup));
    EXPECT_EQ(log.counts().dropped, 1U);
  }
  JobLog log(logs_, clock_);
  log.write(order("a"), "3");
  log.flush();
  EXPECT_THAT(lines("ship/Each/run-7/a"), ElementsAre("3"));
}

TEST_F(JobLogTest, WhereTheGroupCannotBeMadeItIsTriedAgainLater) {
  logs_.create_group({.name = "other"});  // as many as there may be
  JobLog log(logs_, clock_);
  log.write(order("a"), "1");
  logs_.remove_group("other");
  log.write(order("a"), "2");
  EXPECT_FALSE(logs_.find_group(JobLog::kGroup));
  clock_.advance(std::chrono::seconds(11));
  log.write(order("a"), "3");
  log.flush();
  EXPECT_THAT(lines("ship/Each/run-7/a"), ElementsAre("3"));
}

TEST_F(JobLogTest, AnOrderMayNameItsGroupAndItsStream) {
  logs_.create_group({.name = "/aws/codebuild/p"});
  JobLog log(logs_, clock_);
  job::JobOrder build = order("a");
  build.log_group = "/aws/codebuild/p";
  build.log_stream = "own";
  log.write(build, "1");
  log.flush();
  ASSERT_EQ(logs_.read("/aws/codebuild/p", "own", {}).events.size(), 1U);
  EXPECT_FALSE(logs_.find_group(JobLog::kGroup));
}

TEST_F(JobLogTest, AnOrderThatNamesNoExecutionThrowsNothing) {
  JobLog log(logs_, clock_);
  job::JobOrder strange = order("a");
  strange.execution_arn = "x";
  log.write(strange, "1");
  log.flush();
  EXPECT_EQ(log.counts().written, 0U);
}

}  // namespace
}  // namespace andon::server
