// SPDX-License-Identifier: Apache-2.0
#include "cli/workflow/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace andon::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace json = base::json;

json::array events(const std::string& text) {
  return base::parse_json(text, "events").as_array();
}

TEST(EventLine, ShowsWhatHappenedInOneLine) {
  const auto all = events(R"([{"id":7,"timestamp":1795920444.368,"type":"TaskFailed",
      "taskFailedEventDetails":{"resource":"x","error":"Iot.Gone","cause":"no such thing"}}])");
  const std::string line = event_line(all[0]);
  EXPECT_THAT(line, HasSubstr(".368Z"));
  EXPECT_THAT(line, HasSubstr("    7  TaskFailed  x  Iot.Gone  no such thing"));
}

TEST(EventLine, IsCutAndCannotSteerTheTerminal) {
  json::object event = events(R"([{"id":1,"timestamp":0,"type":"TaskSucceeded",
      "taskSucceededEventDetails":{"output":""}}])")[0]
                           .as_object();
  event["taskSucceededEventDetails"] = {{"output", "\x1b[2J" + std::string(5000, 'x')}};
  const std::string line = event_line(event);
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_LT(line.size(), 400U);
}

TEST(ProgressOf, FollowsStatesToWhereTheExecutionEnded) {
  const auto all = events(R"([
      {"id":1,"type":"ExecutionStarted"},
      {"id":2,"type":"PassStateEntered","stateEnteredEventDetails":{"name":"A"}},
      {"id":3,"type":"PassStateExited","stateExitedEventDetails":{"name":"A"}},
      {"id":4,"type":"TaskStateEntered","stateEnteredEventDetails":{"name":"B"}}])");
  auto progress = progress_of(all, "RUNNING");
  EXPECT_EQ(progress.at("A"), asl::Progress::succeeded);
  EXPECT_EQ(progress.at("B"), asl::Progress::running);
  EXPECT_FALSE(progress.contains("C"));
  EXPECT_EQ(progress_of(all, "FAILED").at("B"), asl::Progress::failed);
}

}  // namespace
}  // namespace andon::cli
