// SPDX-License-Identifier: Apache-2.0
#include "edge/shadows/sync_plan.hpp"

#include <gtest/gtest.h>

namespace andon::edge {
namespace {

using Act = SyncPlan::Act;

base::json::object object(std::string_view text) {
  return base::parse_json(text, "test").as_object();
}
fleet::Shadow own(std::string_view state) {
  return {.state = object(state), .metadata = {}, .version = 4, .is_deleted = false};
}
ServerShadow server(std::string_view state, std::int64_t version = 7) {
  return {object(state), version};
}
SyncedShadow synced(std::string_view state) {
  return {object(state), 7, 4};
}

TEST(SyncPlan, WhatEachSideHasChangedReachesTheOtherAndTheServerWinsWhereBothDid) {
  const SyncPlan plan = plan_sync(
      synced(R"({"desired":{"a":1,"b":1,"c":1,"gone":1},"reported":{"x":{"y":1}}})"),
      own(R"({"desired":{"a":2,"b":2,"c":1,"gone":1},"reported":{"x":{"y":1,"z":2}}})"),
      server(R"({"desired":{"a":1,"b":3,"c":4},"reported":{"x":{"y":5}}})"), SyncDirection::both);
  EXPECT_EQ(base::to_text(*plan.state),
            R"({"desired":{"a":2,"b":3,"c":4},"reported":{"x":{"y":5,"z":2}}})");
  EXPECT_EQ(plan.on_device, Act::update);
  EXPECT_EQ(base::to_text(plan.device_patch),
            R"({"desired":{"b":3,"c":4,"gone":null},"reported":{"x":{"y":5}}})");
  EXPECT_EQ(plan.on_server, Act::update);
  EXPECT_EQ(base::to_text(plan.server_patch), R"({"desired":{"a":2},"reported":{"x":{"z":2}}})");
}

TEST(SyncPlan, NothingIsDoneWhereBothAreTheSame) {
  const SyncPlan plan = plan_sync(synced(R"({"desired":{"a":1}})"), own(R"({"desired":{"a":2}})"),
                                  server(R"({"desired":{"a":2}})", 9), SyncDirection::both);
  EXPECT_EQ(plan.on_device, Act::nothing);
  EXPECT_EQ(plan.on_server, Act::nothing);
  EXPECT_EQ(base::to_text(*plan.state), R"({"desired":{"a":2}})");
}

TEST(SyncPlan, OneThatOnlyOneSideHasIsMadeOnTheOther) {
  const SyncPlan up = plan_sync({}, own(R"({"reported":{"a":1}})"), {}, SyncDirection::both);
  EXPECT_EQ(up.on_server, Act::update);
  EXPECT_EQ(up.on_device, Act::nothing);
  EXPECT_EQ(base::to_text(up.server_patch), R"({"reported":{"a":1}})");
  const SyncPlan down = plan_sync({}, {}, server(R"({"desired":{"a":1}})"), SyncDirection::both);
  EXPECT_EQ(down.on_device, Act::update);
  EXPECT_EQ(down.on_server, Act::nothing);
  EXPECT_FALSE(plan_sync({}, {}, {}, SyncDirection::both).state);
}

TEST(SyncPlan, ADeletionReachesTheOtherSideUnlessTheServerHasChangedMeanwhile) {
  fleet::Shadow deleted = own("{}");
  deleted.is_deleted = true;
  const auto before = synced(R"({"desired":{"a":1}})");
  EXPECT_EQ(
      plan_sync(before, deleted, server(R"({"desired":{"a":1}})"), SyncDirection::both).on_server,
      Act::remove);
  EXPECT_EQ(plan_sync(before, deleted, server(R"({"desired":{"a":2}})", 8), SyncDirection::both)
                .on_device,
            Act::update);
  EXPECT_EQ(plan_sync(before, own(R"({"desired":{"a":3}})"), {}, SyncDirection::both).on_device,
            Act::remove);
}

TEST(SyncPlan, OneDirectionLeavesTheOtherSideAlone) {
  const auto before = synced(R"({"desired":{"a":1}})");
  const auto mine = own(R"({"desired":{"a":2}})");
  const auto theirs = server(R"({"desired":{"a":3,"b":1}})", 8);
  const SyncPlan up = plan_sync(before, mine, theirs, SyncDirection::to_server);
  EXPECT_EQ(up.on_device, Act::nothing);
  EXPECT_EQ(base::to_text(up.server_patch), R"({"desired":{"a":2,"b":null}})");
  const SyncPlan down = plan_sync(before, mine, theirs, SyncDirection::to_device);
  EXPECT_EQ(down.on_server, Act::nothing);
  EXPECT_EQ(base::to_text(down.device_patch), R"({"desired":{"a":3,"b":1}})");
  EXPECT_EQ(plan_sync({}, {}, theirs, SyncDirection::to_server).on_server, Act::nothing);
  EXPECT_EQ(plan_sync({}, mine, {}, SyncDirection::to_device).on_device, Act::nothing);
}

}  // namespace
}  // namespace andon::edge
