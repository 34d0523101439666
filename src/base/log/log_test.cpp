// SPDX-License-Identifier: Apache-2.0
#include "base/log/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json/json.hpp"

namespace andon::base {
namespace {

using testing::EndsWith;

class Log : public testing::Test {
 protected:
  ~Log() override { start_logging("andon", LogLevel::warning, LogFormat::automatic); }

  static std::string line(LogFormat format, LogLevel level = LogLevel::info) {
    start_logging("program", LogLevel::info, format);
    testing::internal::CaptureStderr();
    const std::string name = "a\x1b[2J\n12:00:00.000 error";
    log(level, "seen",
        {{"name", name},
         {"bytes", std::size_t{7}},
         {"change", -1},
         {"share", 0.25},
         {"again", true},
         {"why", "none"}});
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, WritesLinesThatPeopleReadAndThatSteerNoTerminal) {
  EXPECT_THAT(line(LogFormat::human),
              EndsWith(" info    seen  name=a\\x1b[2J\\x0a12:00:00.000 error  "
                       "bytes=7  change=-1  share=0.25  again=true  "
                       "why=none\n"));
}

TEST_F(Log, WritesOneObjectALine) {
  const auto object = parse_json(line(LogFormat::json), "line").as_object();
  EXPECT_EQ(object.at("program"), "program");
  EXPECT_EQ(object.at("level"), "info");
  EXPECT_EQ(object.at("event"), "seen");
  EXPECT_EQ(object.at("bytes"), "7");
  EXPECT_EQ(object.at("name"), "a\x1b[2J\n12:00:00.000 error");
}

TEST_F(Log, LeavesOutWhatIsBelowItsLevel) {
  EXPECT_EQ(line(LogFormat::human, LogLevel::debug), "");
}

}  // namespace
}  // namespace andon::base
