// SPDX-License-Identifier: Apache-2.0
#include "cli/workflow/job_logs.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using testing::ElementsAre;

class JobLogsTest : public testing::Test {
 protected:
  void submitted() {
    logs_.note({{"stateEnteredEventDetails", {{"name", "Train"}}}});
    logs_.note({{"taskSubmittedEventDetails",
                 {{"resourceType", "job"}, {"output", R"({"JobId": "j"})"}}}});
  }
  void say(const std::string& text) { written_ += text; }

  std::string written_;
  std::uint64_t kept_from_ = 0;
  bool has_ended_ = false;
  std::vector<std::string> lines_;
  JobLogs logs_{[this](const std::string& id, std::uint64_t from) {
                  if (id != "j") throw base::Error(base::ErrorCode::not_found, id);
                  from = std::max(from, kept_from_);
                  const std::string part = written_.substr(from, 8);
                  return json::object{
                      {"from", from},
                      {"next", from + part.size()},
                      {"text", part},
                      {"ended", has_ended_ && from + part.size() == written_.size()}};
                },
                [this](const std::string& state, const std::string& line) {
                  lines_.push_back(state + ": " + line);
                }};
};

TEST_F(JobLogsTest, PrintsWholeLinesAsTheyCome) {
  submitted();
  say("first line\nsec");
  logs_.take();
  EXPECT_THAT(lines_, ElementsAre("Train: first line"));
  say("ond\nlast");
  has_ended_ = true;
  logs_.take();
  EXPECT_THAT(lines_, ElementsAre("Train: first line", "Train: second", "Train: last"));
}

TEST_F(JobLogsTest, SaysWhatIsMissingAndKeepsTheTerminalSafe) {
  submitted();
  say("gone and gone\n\x1b[2Jclear\n10%\r20%\r30%\r\n");
  kept_from_ = 14;
  logs_.take();
  ASSERT_EQ(lines_.size(), 3U);
  EXPECT_EQ(lines_[0], "Train: (14 bytes are not kept any more)");
  EXPECT_EQ(lines_[1].find('\x1b'), std::string::npos);
  EXPECT_EQ(lines_[2], "Train: 30%");
}

TEST_F(JobLogsTest, OtherTasksAreNoJobs) {
  logs_.note({{"taskSubmittedEventDetails",
               {{"resourceType", "states"}, {"output", R"({"JobId": "j"})"}}}});
  say("line\n");
  logs_.take();
  EXPECT_TRUE(lines_.empty());
}

}  // namespace
}  // namespace andon::cli
