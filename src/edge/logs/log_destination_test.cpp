// SPDX-License-Identifier: Apache-2.0
#include "edge/logs/log_destination.hpp"

#include <gtest/gtest.h>

namespace andon::edge {
namespace {

constexpr std::int64_t kBegunNs = 1'796'035'200'123'456'789;  // 2026-11-30T10:40:00.123Z

TEST(LogObjectKey, OrdersWhatWasWrittenAndIsTheSameForTheSamePlace) {
  const LogBatch batch{"com.example.App", {}, {7, kBegunNs, 12'345}};
  EXPECT_EQ(log_object_key("kept", "line-3", batch),
            "kept/line-3/com.example.App/2026/11/30/104000.123-0000000012345.log");
  EXPECT_EQ(log_object_key("kept/", "line-3", batch), log_object_key("kept", "line-3", batch));
  EXPECT_EQ(log_object_key("", "line-3", batch),
            "line-3/com.example.App/2026/11/30/104000.123-0000000012345.log");
}

TEST(LogObjectKey, HasTheFilesNumberWhereItsBeginIsNotKnown) {
  EXPECT_EQ(log_object_key("", "line-3", {"a", {}, {7, 0, 0}}),
            "line-3/a/1970/01/01/000000.000-7-0000000000000.log");
}

}  // namespace
}  // namespace andon::edge
