// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/built_in_components.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "base/json/json.hpp"
#include "base/text/split.hpp"
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
          "runWithDefault":{"posixUser":"a","posixShell":"sh","systemResourceLimits":{"cpus":1}},
          "networkProxy":{"proxy":{"url":"http://p"}}})",
      "nucleus");
  EXPECT_THAT(keys_without_effect(*find_built_in(kNucleus), nucleus.as_object()),
              testing::ElementsAre("mqtt.pingTimeoutMs", "mqtt.spooler.keepQos0WhenOffline",
                                   "runWithDefault.posixShell"));
  const auto defaults = base::parse_json(find_built_in(kStreamManager)->defaults, "defaults");
  EXPECT_THAT(keys_without_effect(*find_built_in(kStreamManager), defaults.as_object()),
              testing::IsEmpty());
}

// docs/agent.md has a line "| `COMPONENT` | keys |" for each that acts on some.
TEST(BuiltInComponents, EveryKeyThatTheTableOfTheDocumentsNamesHasAnEffect) {
  std::ifstream file(std::string(ANDON_SOURCE_DIR) + "/docs/agent.md");
  int found = 0;
  for (std::string line; std::getline(file, line);) {
    constexpr std::string_view kBegin = "| `aws.greengrass.";
    if (!line.starts_with(kBegin)) continue;
    const std::size_t end = line.find('`', kBegin.size());
    const BuiltInComponent* const one = find_built_in(line.substr(3, end - 3));
    if (one == nullptr || line.compare(end, 4, "` | ") != 0) continue;
    json::object keys;
    std::string rest = line.substr(end + 1);
    for (std::size_t at = 0; (at = rest.find('`', at)) != std::string::npos;) {
      const std::size_t close = rest.find('`', at + 1);
      const std::string word = rest.substr(at + 1, close - at - 1);
      at = close + 1;
      json::object* inner = &keys;
      for (const std::string_view part : base::split(word, '.')) {
        json::value& member = (*inner)[part];
        if (!member.is_object()) member.emplace_object();
        inner = &member.as_object();
      }
    }
    ++found;
    // What is a value, or the name of something else, is no key: those that are one must count.
    const auto without = keys_without_effect(*one, keys);
    EXPECT_THAT(without, testing::IsSubsetOf({"listener"})) << one->name;
  }
  EXPECT_EQ(found, 11);
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
  EXPECT_EQ(run_with_default_of({{"runWithDefault", {{"posixUser", "ann:line"}}}}).posix_user,
            "ann:line");
  EXPECT_EQ(run_with_default_of({{"runWithDefault", "ann"}}).posix_user, "");
  EXPECT_EQ(run_with_default_of({}).posix_user, "");
  EXPECT_EQ(run_with_default_of(
                {{"runWithDefault", {{"systemResourceLimits", {{"memory", 5}, {"cpus", 2}}}}}})
                .limits,
            (recipe::ResourceLimits{.memory_kib = 5, .cpus = 2}));
  EXPECT_THROW(
      (void)run_with_default_of({{"runWithDefault", {{"systemResourceLimits", {{"cpus", 0}}}}}}),
      base::Error);
}

}  // namespace
}  // namespace andon::edge
