// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/data_plane.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

TEST(DataPlanePaths, NameWhatTheyWereMadeOf) {
  EXPECT_EQ(thing_groups_path("Line:1"), "/greengrass/v2/coreDevices/Line%3A1/thingGroups");
  EXPECT_EQ(thing_of_groups_path(thing_groups_path("Line:1")), "Line:1");
  const auto artifact = artifact_of_path(artifact_path("arn:x:versions:1.0.0", "a b/c.zip"));
  ASSERT_TRUE(artifact);
  EXPECT_EQ(artifact->component_version_arn, "arn:x:versions:1.0.0");
  EXPECT_EQ(artifact->artifact, "a b/c.zip");
  EXPECT_EQ(role_alias_of_path(credentials_path("andon")), "andon");
}

TEST(DataPlanePaths, OthersNameNothing) {
  for (const char* path :
       {"", "/", "/greengrass/v2/coreDevices/thingGroups",
        "/greengrass/v2/coreDevices//thingGroups", "/greengrass/v2/coreDevices/%zz/thingGroups",
        "/role-aliases//credentials", "/greengrass/v2/components/a",
        "/greengrass/v2/components/%zz/artifacts/a"}) {
    EXPECT_FALSE(thing_of_groups_path(path)) << path;
    EXPECT_FALSE(artifact_of_path(path)) << path;
    EXPECT_FALSE(role_alias_of_path(path)) << path;
  }
}

TEST(DataPlane, AQuestionForComponentsIsReadBack) {
  const ResolveRequest request{{{"a", "1.0.0", {{"thing/dev1", "^1.0.0"}}}, {"b", {}, {}}},
                               {{"os", "linux"}, {"architecture", "arm"}}};
  const ResolveRequest read = read_resolve_request(to_json(request));
  EXPECT_EQ(to_json(read), to_json(request));
  ASSERT_EQ(read.candidates.size(), 2U);
  EXPECT_EQ(read.candidates[0].local_version, "1.0.0");
  EXPECT_EQ(read.candidates[1].local_version, std::nullopt);
  EXPECT_EQ(read.platform, request.platform);
}

TEST(DataPlane, AQuestionWithoutOrWithTooManyCandidatesIsRefused) {
  EXPECT_THROW((void)read_resolve_request({}), base::Error);
  EXPECT_THROW((void)read_resolve_request({{"componentCandidates", json::array{}}}), base::Error);
  const ResolveRequest many{std::vector<ComponentCandidate>(101, {"a", {}, {}}), {}};
  EXPECT_THROW((void)read_resolve_request(to_json(many)), base::Error);
  EXPECT_THROW((void)read_resolve_request(
                   {{"componentCandidates",
                     {{{"componentName", "a"}, {"versionRequirements", {{"x", 1}}}}}}}),
               base::Error);
}

TEST(DataPlane, AnswersAreReadBack) {
  const auto versions =
      read_resolve_answer(make_resolve_answer({{"arn:a", "a", "1.0.0", "recipe \n text"}}));
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].arn, "arn:a");
  EXPECT_EQ(versions[0].name, "a");
  EXPECT_EQ(versions[0].version, "1.0.0");
  EXPECT_EQ(versions[0].recipe, "recipe \n text");

  const ThingGroups page{{{{"g", "arn:g"}, {{"root", "arn:r"}}}, {{"h", "arn:h"}, {}}}, "2"};
  const ThingGroups read = read_thing_groups(to_json(page));
  EXPECT_EQ(to_json(read), to_json(page));
  EXPECT_EQ(read.groups.at(0).ancestors.at(0).name, "root");
  EXPECT_EQ(read.next, "2");

  EXPECT_EQ(read_artifact_answer(make_artifact_answer("https://h/x")), "https://h/x");
  const TemporaryCredentials credentials{"k", "s", "t", "2026-01-01T00:00:00Z"};
  EXPECT_EQ(to_json(read_credentials(to_json(credentials))), to_json(credentials));
}

TEST(DataPlane, ClientDevicesAndAuthoritiesAreReadBack) {
  EXPECT_EQ(thing_of_client_devices_path(client_devices_path("a:b")), "a:b");
  EXPECT_EQ(thing_of_authorities_path(authorities_path("a:b")), "a:b");
  EXPECT_FALSE(thing_of_authorities_path(client_devices_path("a")));
  const ClientDeviceList list{{{"cam-1", {std::string(64, 'a')}}, {"cam-2", {}}}, {"10.0.0.1"}};
  EXPECT_EQ(read_client_device_list(to_json(list)), list);
  for (const ClientDeviceList& wrong :
       {ClientDeviceList{{{"a b", {}}}, {}}, ClientDeviceList{{{"a", {"xyz"}}}, {}},
        ClientDeviceList{{{"a", {std::string(64, 'A')}}}, {}}, ClientDeviceList{{}, {""}}}) {
    EXPECT_THROW((void)read_client_device_list(to_json(wrong)), base::Error);
  }
  EXPECT_EQ(read_authorities(authorities_to_json({"x", "y"})),
            (std::vector<std::string>{"x", "y"}));
  EXPECT_THROW((void)read_authorities(authorities_to_json({})), base::Error);
  EXPECT_THROW((void)read_authorities(authorities_to_json({"1", "2", "3", "4"})), base::Error);
}

TEST(DataPlane, AnAnswerThatIsNotOneIsRefused) {
  EXPECT_THROW((void)read_resolve_answer(json::array{}), base::Error);
  EXPECT_THROW((void)read_resolve_answer({{"resolvedComponentVersions", {1}}}), base::Error);
  EXPECT_THROW(
      (void)read_resolve_answer({{"resolvedComponentVersions", {{{"arn", "a"}, {"recipe", "*"}}}}}),
      base::Error);
  EXPECT_THROW((void)read_credentials(json::object{}), base::Error);
  EXPECT_THROW((void)read_thing_groups({{"thingGroups", {1}}}), base::Error);
}

}  // namespace
}  // namespace andon::fleet
