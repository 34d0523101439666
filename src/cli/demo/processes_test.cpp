// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds kPatience{20};

class DemoProcesses : public testing::Test {
 protected:
  Error failure_of(const std::string& script, milliseconds timeout = kPatience) {
    try {
      (void)run_to_end({"sh", "-c", script}, log_, timeout);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::internal, "nothing was thrown"};
  }

  base::TemporaryDirectory directory_;
  base::fs::path log_ = directory_.path() / "log";
};

TEST_F(DemoProcesses, GiveWhatAProgramPrinted) {
  EXPECT_EQ(run_to_end({"sh", "-c", "echo out; echo err >&2"}, log_, kPatience), "out\n");
  EXPECT_EQ(base::read_file(log_), "err\n");
}

TEST_F(DemoProcesses, SayHowAProgramFailedAndWhetherItMayPass) {
  const Error wrong = failure_of("echo no such model >&2; exit 3");
  EXPECT_EQ(wrong.code(), ErrorCode::failed_precondition);
  EXPECT_THAT(wrong.message(), HasSubstr("exit code 3"));
  EXPECT_THAT(wrong.message(), HasSubstr("no such model"));
  const int unreachable = base::exit_code(ErrorCode::unavailable);
  EXPECT_EQ(failure_of("exit " + std::to_string(unreachable)).code(), ErrorCode::unavailable);
}

TEST_F(DemoProcesses, DoNotWaitForEver) {
  const Error late = failure_of("sleep 1000", milliseconds{50});
  EXPECT_EQ(late.code(), ErrorCode::deadline_exceeded);
}

TEST_F(DemoProcesses, StartAgainWhatDiesAndGiveUpOnWhatKeepsDying) {
  Terminal terminal;
  SupervisedProcesses processes(terminal);
  processes.start({"flicker", {"sh", "-c", "echo I cannot >&2; exit 7"}, log_});
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::string message;
  testing::internal::CaptureStderr();
  while (message.empty() && std::chrono::steady_clock::now() < deadline) {
    try {
      processes.check();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unavailable);
      message = error.message();
    }
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("flicker ended with exit code 7; starting it again"));
  EXPECT_THAT(message, HasSubstr("flicker does not stay up"));
  EXPECT_THAT(message, HasSubstr("I cannot"));
}

}  // namespace
}  // namespace andon::cli
