// SPDX-License-Identifier: Apache-2.0
#include "control/index/dynamic_groups.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/index/aggregates.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

class DynamicGroupsTest : public testing::Test, public ControlFixture {
 protected:
  DynamicGroupsTest() {
    for (int i = 0; i < 250; ++i) {
      const std::string name = "t" + std::to_string(1000 + i);
      control().things.create(name, {{"line", std::to_string(i % 5)}});
    }
  }
  std::size_t members(const std::string& group) {
    return control()
        .things.list_members(group, Things::Depth::children, {.limit = 500, .after = {}})
        .items.size();
  }
  void settle() {
    while (control().dynamic_groups.step()) {
    }
  }
  void connect(const std::string& thing, const std::string& event) {
    control().core_devices.note_presence(R"({"clientId":")" + thing + R"(","principalName":")" +
                                         thing + R"(","eventType":")" + event + R"("})");
  }
};

TEST_F(DynamicGroupsTest, IsBuiltInStepsThatACrashDoesNotLose) {
  serve_nobody();
  control().dynamic_groups.create("D", "attributes.line:4", "", {});
  EXPECT_FALSE(control().things.find_group("D")->is_built);
  EXPECT_TRUE(control().dynamic_groups.step());
  restart();
  settle();
  EXPECT_EQ(members("D"), 50U);
  EXPECT_TRUE(control().things.find_group("D")->is_built);
}

TEST_F(DynamicGroupsTest, FollowsAttributesConnectionsAndItsQuery) {
  control().dynamic_groups.create("D", "attributes.line:4 AND connectivity.connected:true", "", {});
  settle();
  EXPECT_EQ(members("D"), 0U);
  connect("t1004", "connected");
  connect("t1005", "connected");
  settle();
  EXPECT_EQ(members("D"), 1U);
  control().things.update("t1005", {.attributes = {{{"line", "4"}}}});
  settle();
  EXPECT_EQ(members("D"), 2U);
  control().core_devices.forget_presence();
  settle();
  EXPECT_EQ(members("D"), 0U);
  control().dynamic_groups.update("D", {.query = "attributes.line:(3 OR 4)"});
  settle();
  EXPECT_EQ(members("D"), 101U);
}

TEST_F(DynamicGroupsTest, ADeploymentReachesWhoJoinsAndLeavesWhoLeaves) {
  add_component("com.ex.A", "1.0.0");
  control().dynamic_groups.create("D", "attributes.line:7", "", {});
  settle();
  const Deployment deployment = deploy("thinggroup/D", "com.ex.A", "1.0.0");
  control().things.update("t1000", {.attributes = {{{"line", "7"}}}});
  settle();
  ASSERT_TRUE(control().jobs.next("t1000"));
  EXPECT_EQ(control().jobs.next("t1000")->job_id, deployment.id);
  control().things.update("t1000", {.attributes = {{{"line", "1"}}}});
  settle();
  EXPECT_FALSE(control().jobs.next("t1000"));
}

TEST_F(DynamicGroupsTest, OneDoesNotSeeTheMembersOfAnother) {
  control().dynamic_groups.create("A", "NOT thingGroupNames:B AND attributes.line:1", "", {});
  control().dynamic_groups.create("B", "thingGroupNames:A", "", {});
  settle();
  EXPECT_EQ(members("A"), 50U);
  EXPECT_EQ(members("B"), 0U);
}

TEST_F(DynamicGroupsTest, NobodyIsNamedAMemberOfOne) {
  control().dynamic_groups.create("D", "attributes.line:4", "", {});
  EXPECT_THROW(control().things.add_to_group("t1000", "D"), base::Error);
  EXPECT_THROW(control().things.create_group("Below", "D", "", {}), base::Error);
  EXPECT_THROW(control().dynamic_groups.create("E", "shadow.reported.x:1", "", {}), base::Error);
}

TEST(Aggregates, AreExact) {
  const std::vector<std::string> values{"1", "2", "3", "4", "x", "4"};
  const Statistics statistics = statistics_of(values);
  EXPECT_EQ(statistics.count, 6);
  ASSERT_TRUE(statistics.numbers);
  EXPECT_DOUBLE_EQ(statistics.numbers->average, 2.8);
  EXPECT_DOUBLE_EQ(statistics.numbers->sum_of_squares, 46);
  EXPECT_EQ(cardinality_of(values), 5);
  EXPECT_EQ(percentiles_of({"0", "10"}, {25}), (std::vector<std::pair<double, double>>{{25, 2.5}}));
  EXPECT_TRUE(percentiles_of({"x"}, {50}).empty());
  const auto buckets = buckets_of(values, 1);
  ASSERT_EQ(buckets.size(), 1U);
  EXPECT_EQ(buckets.front().value, "4");
  EXPECT_EQ(buckets.front().count, 2);
}

}  // namespace
}  // namespace andon::control
