// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/device_logs.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

TEST(DeviceLogs, AreReadAsTheyAreWritten) {
  const DeviceLogs read = read_device_logs(
      to_json({"com.example.App", {{1'796'000'000'000, "one"}, {0, "\"two\"\n"}}}));
  EXPECT_EQ(read.component, "com.example.App");
  ASSERT_EQ(read.lines.size(), 2U);
  EXPECT_EQ(read.lines[0].time_ms, 1'796'000'000'000);
  EXPECT_EQ(read.lines[1].text, "\"two\"\n");
}

TEST(DeviceLogs, WhatIsNoneIsRefused) {
  json::array many(kMostLogLines + 1, json::object{{"timestamp", 1}, {"message", "x"}});
  for (const json::object& object : std::vector<json::object>{
           {},
           {{"component", "../a"}, {"events", json::array{}}},
           {{"component", std::string(129, 'a')}},
           {{"component", "a"}, {"events", json::array{1}}},
           {{"component", "a"}, {"events", json::array{json::object{{"message", "x"}}}}},
           {{"component", "a"},
            {"events", json::array{json::object{{"timestamp", -1}, {"message", "x"}}}}},
           {{"component", "a"},
            {"events", json::array{json::object{{"timestamp", 1}, {"message", ""}}}}},
           {{"component", "a"}, {"events", many}}}) {
    EXPECT_THROW(static_cast<void>(read_device_logs(object)), base::Error);
  }
}

TEST(DeviceLogs, HaveTheNamesOfAwssLogManager) {
  EXPECT_EQ(log_group_of("us-east-1", "com.example.App"),
            "/aws/greengrass/UserComponent/us-east-1/com.example.App");
  EXPECT_EQ(log_stream_of(0, "a-b:1"), "/1970/01/01/thing/a-b+1");
}

}  // namespace
}  // namespace andon::fleet
