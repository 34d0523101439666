// SPDX-License-Identifier: Apache-2.0
#include "cli/workflow/machine_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace andon::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(MachineLog, ALineOfAnExecutionIsShownLikeItsHistory) {
  const std::string line = log_text(
      R"({"id":"7","type":"TaskFailed","details":{"resource":"x","error":"Iot.Gone","cause":"none"},)"
      R"("previous_event_id":"6","event_timestamp":"1795920444368","redrive_count":"0",)"
      R"("execution_arn":"arn:aws:states:r:a:execution:ship:run-7"})");
  EXPECT_THAT(line, StartsWith("run-7  2026-"));
  EXPECT_THAT(line, HasSubstr(".368Z      7  TaskFailed  x  Iot.Gone  none"));
}

TEST(MachineLog, WhatElseStandsInTheGroupCannotSteerTheTerminal) {
  for (const char* other : {"plain \x1b[2J", "{\"id\": 7}", "[1]", "{\"id\":\"x\",\"type\":1}"}) {
    EXPECT_THAT(log_text(other), Not(HasSubstr("\x1b")));
  }
  EXPECT_EQ(log_text("plain"), "plain");
}

}  // namespace
}  // namespace andon::cli
