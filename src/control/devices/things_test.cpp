// SPDX-License-Identifier: Apache-2.0
#include "control/devices/things.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using testing::ElementsAre;
using StringMap = std::map<std::string, std::string>;

class ThingsTest : public testing::Test, public ControlFixture {
 protected:
  Things& things() { return control().things; }

  template <typename Act>
  static ErrorCode code(Act act) {
    try {
      act();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }
};

TEST_F(ThingsTest, NamesAreThoseOfAwsAndNotTheServersOwn) {
  for (const auto* name : {"", "a b", "a/b", "a+", "#", "$aws", "andon-server", "andon-operator"}) {
    EXPECT_EQ(code([&] { things().create(name, {}); }), ErrorCode::invalid_argument) << name;
  }
  EXPECT_EQ(code([&] { things().create(std::string(129, 'a'), {}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(things().create("Line:1_cam-2", {}).arn, Arns().thing("Line:1_cam-2"));
}

TEST_F(ThingsTest, MakingTheSameThingAgainIsNoErrorButAnotherOneIs) {
  const Thing first = things().create("dev1", {{"line", "1"}});
  EXPECT_EQ(things().create("dev1", {{"line", "1"}}).id, first.id);
  EXPECT_EQ(code([&] { things().create("dev1", {{"line", "2"}}); }), ErrorCode::already_exists);
}

TEST_F(ThingsTest, AttributesAreReplacedOrMerged) {
  things().create("dev1", {{"line", "1"}, {"side", "left"}});
  ThingUpdate merge;
  merge.attributes = StringMap{{"line", "2"}, {"side", ""}};
  merge.change = AttributeChange::merge;
  things().update("dev1", merge);
  EXPECT_EQ(things().find("dev1")->attributes, (StringMap{{"line", "2"}}));
  EXPECT_EQ(things().find("dev1")->version, 2);
  ThingUpdate replace;
  replace.attributes = StringMap{{"hall", "A"}};
  replace.expected_version = 1;
  EXPECT_EQ(code([&] { things().update("dev1", replace); }), ErrorCode::conflict);
  replace.expected_version = 2;
  things().update("dev1", replace);
  EXPECT_EQ(things().find("dev1")->attributes, (StringMap{{"hall", "A"}}));
  EXPECT_EQ(code([&] { things().update("none", {}); }), ErrorCode::not_found);
}

TEST_F(ThingsTest, AreListedInPagesAndByAttribute) {
  for (const auto* name : {"c", "a", "b"}) things().create(name, {{"line", name}});
  const auto first = things().list({}, {2, ""});
  EXPECT_EQ(first.next, "b");
  EXPECT_EQ(things().list({}, {2, "b"}).items.at(0).name, "c");
  EXPECT_EQ(things().list({"line", "b", ""}, {}).items.at(0).name, "b");
  EXPECT_TRUE(things().list({"hall", "", ""}, {}).items.empty());
}

TEST_F(ThingsTest, GroupsNestAndKnowTheirAncestorsAndMembers) {
  things().create("dev1", {});
  things().create("dev2", {});
  things().create_group("Site", "", "the plant", {});
  things().create_group("Hall", "Site", "", {});
  things().create_group("Line", "Hall", "", {});
  things().add_to_group("dev1", "Line");
  things().add_to_group("dev2", "Site");
  EXPECT_THAT(things().find_group("Line")->ancestors, ElementsAre("Site", "Hall"));
  using Depth = Things::Depth;
  EXPECT_THAT(things().list_members("Site", Depth::children, {}).items, ElementsAre("dev2"));
  EXPECT_THAT(things().list_members("Site", Depth::descendants, {}).items,
              ElementsAre("dev1", "dev2"));
  EXPECT_THAT(things().list_groups("", "Site", Depth::children, {}).items, ElementsAre("Hall"));
  EXPECT_THAT(things().list_groups("", "Site", Depth::descendants, {}).items,
              ElementsAre("Hall", "Line"));
  EXPECT_THAT(things().list_groups("L", "", Depth::children, {}).items, ElementsAre("Line"));
  EXPECT_THAT(things().list_groups_of("dev1", {}).items, ElementsAre("Line"));
  EXPECT_EQ(code([&] { things().remove_group("Hall"); }), ErrorCode::failed_precondition);
  things().remove_group("Line");
  EXPECT_FALSE(things().find_group("Line"));
  EXPECT_EQ(code([&] { things().create_group("X", "none", "", {}); }), ErrorCode::not_found);
}

TEST_F(ThingsTest, MembershipNeedsBothThingAndGroup) {
  things().create("dev1", {});
  things().create_group("G", "", "", {});
  EXPECT_EQ(code([&] { things().add_to_group("dev1", "none"); }), ErrorCode::not_found);
  EXPECT_EQ(code([&] { things().add_to_group("none", "G"); }), ErrorCode::not_found);
  things().add_to_group("dev1", "G");
  things().add_to_group("dev1", "G");
  EXPECT_EQ(things().list_members("G", Things::Depth::children, {}).items.size(), 1U);
}

}  // namespace
}  // namespace andon::control
