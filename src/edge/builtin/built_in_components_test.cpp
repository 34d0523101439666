// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/built_in_components.hpp"

#include <gmock/gmock.h>

#include "base/json/json.hpp"
#include "edge/builtin/nucleus_settings.hpp"
#include "edge/streams/server/stream_settings.hpp"
#include "recipe/recipe/resolve.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

TEST(BuiltInComponents, EachIsThereInWhateverVersionIsWanted) {
  for (const BuiltInComponent& one : built_in_table()) {
    for (const auto* range : {"*", "2.0.0", ">=1.0.0", "^2.1.0", ">=2.0.0 <2.1.0", "<1.0.0",
                              ">1.2.3", "3.0.0-beta.1"}) {
      const auto candidate = built_in_candidate(one, {{"thing/t", range}});
      ASSERT_TRUE(candidate) << one.name << " " << range;
      EXPECT_EQ(candidate->recipe.component_name, one.name);
      EXPECT_TRUE(recipe::VersionRange::parse(range).contains(candidate->recipe.component_version))
          << range << " gives " << candidate->recipe.component_version.to_string();
    }
    EXPECT_FALSE(built_in_candidate(one, {{"a", "1.0.0"}, {"b", "2.0.0"}}));
  }
}

TEST(BuiltInComponents, TheUsualVersionComesBeforeTheEndsOfTheRange) {
  for (const auto& [range, version] :
       {std::pair{"2.2.0", "2.2.0"}, std::pair{"2.0.14", "2.0.14"}, std::pair{"^2.0.0", "2.2.0"},
        std::pair{">=3.1.0 <4.0.0", "3.1.0"}, std::pair{">3.1.0", "3.1.1"},
        std::pair{"<1.0.0", "0.0.0"}, std::pair{"*", "2.2.0"}}) {
    const auto candidate = built_in_candidate(*find_built_in(kStreamManager), {{"thing/t", range}});
    ASSERT_TRUE(candidate) << range;
    EXPECT_EQ(candidate->recipe.component_version.to_string(), version) << range;
  }
}

TEST(BuiltInComponents, AreThoseThatTheServerDoesNotLookUp) {
  std::set<std::string> names;
  for (const BuiltInComponent& one : built_in_table()) names.emplace(one.name);
  EXPECT_EQ(names, recipe::built_in_components());
  EXPECT_EQ(find_built_in("com.example.Hello"), nullptr);
  EXPECT_EQ(find_built_in(kNucleus)->name, kNucleus);
}

TEST(BuiltInComponents, WhatTheAgentDoesNotActOnIsNamed) {
  EXPECT_THAT(keys_without_effect(*find_built_in(kNucleus),
                                  {{"iotRoleAlias", "a"}, {"awsRegion", "eu"}, {"colour", 1}}),
              testing::ElementsAre("awsRegion", "colour"));
  const auto nucleus = base::parse_json(
      R"({"mqtt":{"port":443,"pingTimeoutMs":1,
                  "spooler":{"maxSizeInBytes":1,"keepQos0WhenOffline":true}},
          "runWithDefault":{"posixUser":"a","systemResourceLimits":{"cpus":1}},
          "networkProxy":{"proxy":{"url":"http://p"}}})",
      "nucleus");
  EXPECT_THAT(keys_without_effect(*find_built_in(kNucleus), nucleus.as_object()),
              testing::ElementsAre("mqtt.pingTimeoutMs", "mqtt.spooler.keepQos0WhenOffline",
                                   "runWithDefault.systemResourceLimits"));
  const auto defaults = base::parse_json(find_built_in(kStreamManager)->defaults, "defaults");
  EXPECT_THAT(keys_without_effect(*find_built_in(kStreamManager), defaults.as_object()),
              testing::IsEmpty());
}

TEST(NucleusSettings, TheAliasOfTheConfigurationComesBeforeThatOfTheEnrolment) {
  NucleusSettings settings("enrolled");
  EXPECT_EQ(settings.role_alias(), "enrolled");
  const json::object other{{"iotRoleAlias", "other"}};
  EXPECT_TRUE(settings.take(&other));
  EXPECT_FALSE(settings.take(&other));
  EXPECT_EQ(settings.role_alias(), "other");
  const json::object wrong{{"iotRoleAlias", 7}};
  EXPECT_TRUE(settings.take(&wrong));
  EXPECT_EQ(settings.role_alias(), "enrolled");
  EXPECT_FALSE(settings.take(nullptr));
}

TEST(NucleusSettings, TheDefaultUserIsReadOfItsConfiguration) {
  EXPECT_EQ(default_user_of({{"runWithDefault", {{"posixUser", "ann:line"}}}}), "ann:line");
  EXPECT_EQ(default_user_of({{"runWithDefault", "ann"}}), "");
  EXPECT_EQ(default_user_of({}), "");
}

}  // namespace
}  // namespace andon::edge
