// SPDX-License-Identifier: Apache-2.0
#include "control/index/shadow_fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ShadowField, IsReadWithItsShadowAndItsPath) {
  const auto classic = read_shadow_field("shadow.reported.motor.speed");
  ASSERT_TRUE(classic);
  EXPECT_EQ(classic->name, "");
  EXPECT_EQ(classic->section, "reported");
  EXPECT_THAT(classic->path, ElementsAre("motor", "speed"));
  const auto named = read_shadow_field("shadow.name.lamp.hasDelta");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->name, "lamp");
  EXPECT_EQ(named->section, "hasDelta");
  for (const char* text :
       {"attributes.a", "shadow", "shadow.", "shadow.reported", "shadow.reported.", "shadow.name.",
        "shadow.name.lamp", "shadow.name.a/b.reported.x", "shadow.reported..a", "shadow.wished.a",
        "shadow.hasDelta.a", "shadow.metadata.reported.a", "shadow.name..reported.a"}) {
    EXPECT_FALSE(read_shadow_field(text)) << text;
  }
}

class ShadowFieldsTest : public testing::Test, public ControlFixture {
 protected:
  ShadowFieldsTest() {
    for (const char* name : {"a", "b", "c"}) control().things.create(name, {});
    control().shadows.update(
        "a", "",
        R"({"state": {"reported": {"motor": {"speed": 7, "is_on": true}, "tags": ["x", "y", [1]],
            "note": "two words", "none": {}}, "desired": {"motor": {"speed": 9}}}})");
    control().shadows.update("b", "", R"({"state": {"reported": {"motor": {"speed": 12}}}})");
    control().shadows.update("b", "lamp", R"({"state": {"reported": {"on": false}}})");
  }
  void search_shadows() {
    control().index.set_settings(
        base::parse_json(
            R"({"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY_AND_SHADOW",
            "namedShadowIndexingMode": "ON", "filter": {"namedShadowNames": ["lamp"]}}})",
            "settings")
            .as_object());
  }
  std::vector<std::string> found(const std::string& query) {
    std::vector<std::string> names;
    for (const auto& thing : control().index.search(query, {}).items) names.push_back(thing.name);
    return names;
  }
};

TEST_F(ShadowFieldsTest, AreSearchedCountedAndWeighed) {
  search_shadows();
  EXPECT_THAT(found("shadow.reported.motor.speed:7"), ElementsAre("a"));
  EXPECT_THAT(found("shadow.reported.motor.speed>6"), ElementsAre("a", "b"));
  EXPECT_THAT(found("shadow.reported.motor.is_on:true"), ElementsAre("a"));
  EXPECT_THAT(found("shadow.reported.tags:y AND shadow.reported.note:\"two words\""),
              ElementsAre("a"));
  EXPECT_THAT(found("shadow.hasDelta:true"), ElementsAre("a"));
  EXPECT_THAT(found("shadow.version:1"), ElementsAre("a", "b"));
  EXPECT_THAT(found("shadow.name.lamp.reported.on:false"), ElementsAre("b"));
  EXPECT_THAT(found("NOT shadow.version:*"), ElementsAre("c"));
  EXPECT_THAT(found("shadow.reported.none:*"), IsEmpty());
  EXPECT_THAT(found("shadow.reported.motor:*"), IsEmpty());
  const auto values = control().index.values("*", "shadow.reported.motor.speed", IndexKind::things);
  EXPECT_EQ(values.matched, 3);
  EXPECT_THAT(values.values, ElementsAre("7", "12"));
  control().shadows.remove("b", "");
  EXPECT_THAT(found("shadow.reported.motor.speed>6"), ElementsAre("a"));
}

TEST_F(ShadowFieldsTest, AreRefusedUntilTheyAreSwitchedOn) {
  EXPECT_THROW((void)found("shadow.reported.a:1"), base::Error);
  EXPECT_THROW(control().dynamic_groups.create("D", "shadow.hasDelta:true", "", {}), base::Error);
  search_shadows();
  EXPECT_THROW((void)found("shadow.name.other.reported.a:1"), base::Error);
  EXPECT_THROW((void)control().index.values("*", "shadow.name.other.version", IndexKind::things),
               base::Error);
  for (const char* wrong :
       {R"({"thingIndexingConfiguration": {"thingIndexingMode": "SHADOW"}})",
        R"({"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY",
            "namedShadowIndexingMode": "YES"}})",
        R"({"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY", "filter":
            {"namedShadowNames": ["1","2","3","4","5","6","7","8","9","10","11"]}}})",
        R"({"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY",
            "deviceDefenderIndexingMode": "VIOLATIONS"}})"}) {
    EXPECT_THROW(control().index.set_settings(base::parse_json(wrong, "settings").as_object()),
                 base::Error)
        << wrong;
  }
}

TEST_F(ShadowFieldsTest, DecideWhoBelongsToAGroupByQuery) {
  search_shadows();
  control().dynamic_groups.create("Fast", "shadow.reported.motor.speed>10", "", {});
  const auto members = [&] {
    while (control().dynamic_groups.step()) {
    }
    return control()
        .things.list_members("Fast", Things::Depth::children, {.limit = 500, .after = {}})
        .items;
  };
  EXPECT_THAT(members(), ElementsAre("b"));
  control().shadows.update("a", "", R"({"state": {"reported": {"motor": {"speed": 11}}}})");
  EXPECT_THAT(members(), ElementsAre("a", "b"));
  control().shadows.remove("b", "");
  EXPECT_THAT(members(), ElementsAre("a"));
}

}  // namespace
}  // namespace andon::control
