// SPDX-License-Identifier: Apache-2.0
#include "cli/result/result_line.hpp"

#include <gtest/gtest.h>

namespace andon::cli {
namespace {

TEST(ResultLine, TellsWhatWasFoundAndWhatWasSaidOfIt) {
  EXPECT_EQ(result_line({{"resultId", "7"},
                         {"timestamp", "2026-11-22T10:00:00.123Z"},
                         {"thing", "line-1"},
                         {"image", "tag.jpg"},
                         {"class", "scratch"},
                         {"score", 0.87},
                         {"verdict", "NG"},
                         {"review", {{"kind", "OVERRULED"}, {"class", "dirt"}}}}),
            "       7  2026-11-22T10:00:00.123Z  line-1  tag.jpg  scratch 0.8700  NG  OVERRULED as "
            "dirt");
}

TEST(ResultLine, TellsWhereThereIsNothing) {
  const auto line = [](const base::json::object& more) {
    base::json::object result{
        {"resultId", "7"}, {"timestamp", "t"}, {"thing", "a"}, {"image", "b"}, {"class", ""}};
    for (const auto& member : more) result[member.key()] = member.value();
    return result_line(result);
  };
  EXPECT_EQ(line({}), "       7  t  a  b  -");
  EXPECT_EQ(line({{"error", "data_corrupted"}}), "       7  t  a  b  (data_corrupted)");
  EXPECT_EQ(line({{"problem", "no time"}}), "       7  t  a  b  (no result: no time)");
}

TEST(ResultLine, ADeviceCannotSteerTheTerminal) {
  const std::string line = result_line({{"resultId", "7"},
                                        {"timestamp", "t"},
                                        {"thing", "a"},
                                        {"image", "\x1b[2Jx\ny"},
                                        {"class", "\x1b]0;title\x07"},
                                        {"score", 1}});
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x07'), std::string::npos);
}

}  // namespace
}  // namespace andon::cli
