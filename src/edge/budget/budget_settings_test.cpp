// SPDX-License-Identifier: Apache-2.0
#include "edge/budget/budget_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json/json.hpp"

namespace andon::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ReadBudgetSettings read(const std::string& budget) {
  const auto nucleus = base::parse_json("{\"andonLinkBudget\":" + budget + "}", "test");
  return read_budget_settings(&nucleus.as_object());
}

TEST(BudgetSettings, NoConfigurationIsNoLimit) {
  EXPECT_EQ(read_budget_settings(nullptr).settings, BudgetSettings{});
  EXPECT_EQ(read("{}").settings, BudgetSettings{});
  EXPECT_EQ(BudgetSettings{}.minutes_closed(LinkUse::logs, 0), 0);
}

TEST(BudgetSettings, EachMemberIsReadAndTheOthersKeepTheirOrder) {
  const ReadBudgetSettings got = read(
      R"({"bytesPerSecond":"50000","bytesPerHour":1000000,"bytesPerDay":9000000,"priority":["logs"],
          "windows":[{"uses":["downloads"],"from":"22:00","to":"06:00"},
                     {"uses":["downloads","logs"],"from":"12:00","to":"12:30"}]})");
  EXPECT_THAT(got.problems, IsEmpty());
  const BudgetSettings& settings = got.settings;
  EXPECT_EQ(settings.bytes_per_second, 50'000U);
  EXPECT_EQ(settings.bytes_per_hour, 1'000'000U);
  EXPECT_EQ(settings.bytes_per_day, 9'000'000U);
  EXPECT_THAT(settings.order,
              ElementsAre(LinkUse::logs, LinkUse::downloads, LinkUse::uploads, LinkUse::exports));
  EXPECT_EQ(settings.minutes_closed(LinkUse::downloads, 23 * 60), 0);
  EXPECT_EQ(settings.minutes_closed(LinkUse::downloads, 5 * 60 + 59), 0);
  EXPECT_EQ(settings.minutes_closed(LinkUse::downloads, 6 * 60), 6 * 60);
  EXPECT_EQ(settings.minutes_closed(LinkUse::downloads, 12 * 60 + 30), 9 * 60 + 30);
  EXPECT_EQ(settings.minutes_closed(LinkUse::logs, 12 * 60 + 30), 23 * 60 + 30);
  EXPECT_EQ(settings.minutes_closed(LinkUse::exports, 12 * 60 + 30), 0);
}

TEST(BudgetSettings, WhatCannotBeUsedIsNamedWithItsPlaceAndTheRestCounts) {
  const ReadBudgetSettings got = read(
      R"({"bytesPerSecond":3,"bytesPerHour":-1,"bytesPerDay":100000,"speed":1,"priority":["video"],
          "windows":[{"from":"25:00","to":"06:00"},{"from":"10:00","to":"24:30"},
                     {"uses":["logs"],"from":"10:00","to":"24:00"}]})");
  EXPECT_EQ(got.settings.bytes_per_second, 0U);
  EXPECT_EQ(got.settings.bytes_per_hour, 0U);
  EXPECT_EQ(got.settings.bytes_per_day, 100'000U);
  EXPECT_EQ(got.settings.windows.size(), 1U);
  EXPECT_EQ(got.settings.order, BudgetSettings{}.order);
  EXPECT_THAT(got.problems,
              testing::UnorderedElementsAre(
                  HasSubstr("andonLinkBudget.bytesPerSecond"),
                  HasSubstr("andonLinkBudget.bytesPerHour"), HasSubstr("speed"), HasSubstr("video"),
                  HasSubstr("windows[0].from"), HasSubstr("windows[1].to")));
}

TEST(BudgetSettings, AWindowWithoutUsesIsForAllOfThem) {
  const BudgetSettings settings = read(R"({"windows":[{"from":"10:00","to":"11:00"}]})").settings;
  for (const LinkUse use : settings.order) EXPECT_EQ(settings.minutes_closed(use, 9 * 60), 60);
}

}  // namespace
}  // namespace andon::edge
