// SPDX-License-Identifier: Apache-2.0
#include "control/components/components.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "control/testing/control_fixture.hpp"
#include "fleet/names/reason.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using testing::HasSubstr;

constexpr std::string_view kOneArtifact = R"([{"URI": "s3://models/a/weights.onnx"}])";

class ComponentsTest : public testing::Test, public ControlFixture {
 protected:
  // Code and message of what `act` throws.
  template <typename Act>
  static std::pair<ErrorCode, std::string> thrown(Act act) {
    try {
      act();
    } catch (const Error& error) {
      return {error.code(), error.message()};
    }
    return {ErrorCode::internal, "nothing was thrown"};
  }

  std::vector<std::string> versions(const std::string& name) {
    std::vector<std::string> texts;
    for (const auto& item : control().components.list_versions(name, {}).items) {
      texts.push_back(item.version);
    }
    return texts;
  }
};

TEST_F(ComponentsTest, AnArtifactIsServedByDigestWhateverHappensToItsSource) {
  put_object("models", "a/weights.onnx", "first");
  const auto made = control().components.create(
      recipe("com.ex.Model", "1.0.0", std::string(kOneArtifact)), std::nullopt);
  put_object("models", "a/weights.onnx", "second, and longer");
  objects().sweep();

  const auto artifacts = control().components.artifacts("com.ex.Model", "1.0.0");
  ASSERT_EQ(artifacts.size(), 1U);
  EXPECT_EQ(artifacts[0].name, "weights.onnx");
  EXPECT_EQ(artifacts[0].size, 5U);
  EXPECT_EQ(artifacts[0].sha256, trust::sha256_hex("first"));
  EXPECT_TRUE(objects().open_blob(artifacts[0].sha256));

  const json::value served = base::parse_json(
      control().components.find("com.ex.Model", "1.0.0")->served_recipe, "served recipe");
  const json::value* artifact = base::find_pointer(served, "/Manifests/0/Artifacts/0");
  ASSERT_NE(artifact, nullptr);
  EXPECT_EQ(artifact->at("Uri").as_string(), "greengrass:weights.onnx");
  EXPECT_EQ(artifact->at("Algorithm").as_string(), "SHA-256");
  EXPECT_EQ(artifact->at("Digest").as_string(),
            base::to_base64(*base::from_hex(trust::sha256_hex("first"))));
  EXPECT_EQ(artifact->at("Size").to_number<int>(), 5);
  EXPECT_EQ(made.arn,
            "arn:aws:greengrass:us-east-1:000000000000:components:com.ex.Model:versions:1.0.0");
}

TEST_F(ComponentsTest, WhatACrashLeftPinnedIsReleasedAtTheNextStartAndNothingElse) {
  put_object("models", "a/weights.onnx", "first");
  control().components.create(recipe("com.ex.Model", "1.0.0", std::string(kOneArtifact)),
                              std::nullopt);
  put_object(std::string(kArtifactBucket), "com.ex.Model/2.0.0/lost/0.0", "never named");
  restart();
  const auto left = objects().list({std::string(kArtifactBucket), "", "", "", 10}).objects;
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].key, control().components.artifacts("com.ex.Model", "1.0.0").at(0).pinned_key);
}

TEST_F(ComponentsTest, TwoManifestsMayUseOneFileNameForDifferentBytes) {
  put_object("builds", "amd64/x.zip", "amd64 bytes");
  put_object("builds", "arm64/x.zip", "arm64 bytes");
  const std::string text = R"({"RecipeFormatVersion": "2020-01-25",
    "ComponentName": "com.ex.Two", "ComponentVersion": "1.0.0", "Manifests": [
      {"Platform": {"os": "linux", "architecture": "amd64"},
       "Artifacts": [{"URI": "s3://builds/amd64/x.zip"}], "Lifecycle": {"run": "a"}},
      {"Platform": {"os": "linux", "architecture": "aarch64"},
       "Artifacts": [{"URI": "s3://builds/arm64/x.zip"}], "Lifecycle": {"run": "b"}}]})";
  control().components.create(text, std::nullopt);
  const std::string second = trust::sha256_hex("arm64 bytes");
  EXPECT_EQ(control().components.find_artifact("com.ex.Two", "1.0.0", "x.zip")->sha256,
            trust::sha256_hex("amd64 bytes"));
  EXPECT_EQ(control().components.find_artifact("com.ex.Two", "1.0.0", second + "/x.zip")->sha256,
            second);
}

TEST_F(ComponentsTest, AMissingObjectAWrongDigestAndAForeignSchemeAreRefusedByPlace) {
  put_object("models", "a/weights.onnx", "first");
  struct Case {
    std::string artifacts;
    std::string message;
  };
  const std::vector<Case> cases{
      {R"([{"URI": "s3://models/missing"}])", "there is no object s3://models/missing"},
      {R"([{"URI": "s3://nowhere/x"}])", "there is no object s3://nowhere/x"},
      {R"([{"URI": "s3://models/a/weights.onnx", "Digest": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "Algorithm": "SHA-256"}])",
       "/Manifests/0/Artifacts/0: Digest \"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\" is not "
       "that of"},
      {R"([{"URI": "greengrass:weights.onnx"}])", "must start with s3:// or docker:"},
      {R"([{"URI": "s3://models"}])", ""},
      {R"([{"URI": "docker:redis:7"}])",
       "/Manifests/0/Artifacts/0: the image \"docker:redis:7\" names no digest"},
      {R"([{"URI": "docker:--privileged"}])", "has no name that registries know"},
      {R"([{"Unarchive": "ZIP", "URI": "docker:redis@sha256:)" + std::string(64, 'a') + R"("}])",
       "an image is not unpacked"},
      {R"([{"Digest": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "Algorithm": "SHA-256",
            "URI": "docker:redis@sha256:)" +
           std::string(64, 'a') + R"("}])",
       "stands in its URI"},
  };
  for (const Case& one : cases) {
    const auto [code, message] = thrown([&] {
      control().components.create(recipe("com.ex.Bad", "1.0.0", one.artifacts), std::nullopt);
    });
    EXPECT_EQ(code, ErrorCode::invalid_argument) << one.artifacts;
    EXPECT_THAT(message, HasSubstr(one.message));
  }
  EXPECT_FALSE(control().components.find("com.ex.Bad", "1.0.0"));
  // Nothing that was pinned for them stays.
  EXPECT_TRUE(objects().list({std::string(kArtifactBucket), "", "", "", 10}).objects.empty());
}

TEST_F(ComponentsTest, AnImageThatItsDigestPinsIsServedAsItIsNamed) {
  const std::string uri = "docker:registry.plant:5000/look:1.4@sha256:" + std::string(64, 'a');
  control().components.create(recipe("com.ex.Image", "1.0.0", R"([{"URI": ")" + uri + R"("}])"),
                              std::nullopt);
  const json::value served = base::parse_json(
      control().components.find("com.ex.Image", "1.0.0")->served_recipe, "served recipe");
  EXPECT_EQ(base::find_pointer(served, "/Manifests/0/Artifacts/0/Uri")->as_string(), uri);
  EXPECT_TRUE(control().components.artifacts("com.ex.Image", "1.0.0").empty());
}

TEST_F(ComponentsTest, AVersionNeverChanges) {
  add_component("com.ex.Hello", "1.0.0");
  const auto [code, message] = thrown([&] { add_component("com.ex.Hello", "1.0.0"); });
  EXPECT_EQ(code, ErrorCode::conflict);
  EXPECT_THAT(message, HasSubstr("raise ComponentVersion"));
}

TEST_F(ComponentsTest, TheSameClientTokenAnswersAsTheFirstTime) {
  const std::string text = recipe("com.ex.Hello", "1.0.0");
  const auto first = control().components.create(text, "token-1");
  clock().advance(std::chrono::minutes(5));
  const auto again = control().components.create(text, "token-1");
  EXPECT_EQ(first.created, again.created);
  EXPECT_EQ(thrown([&] {
              control().components.create(recipe("com.ex.Other", "1.0.0"), "token-1");
            }).first,
            ErrorCode::conflict);
  EXPECT_EQ(thrown([&] { control().components.create(text, "token-2"); }).first,
            ErrorCode::conflict);
  EXPECT_EQ(thrown([&] { control().components.create(text, "not a token!"); }).first,
            ErrorCode::invalid_argument);
}

TEST_F(ComponentsTest, AMalformedRecipeIsRefusedWithItsPlaces) {
  const auto [code, message] = thrown([&] {
    control().components.create(R"({"RecipeFormatVersion": "2020-01-25"})", std::nullopt);
  });
  EXPECT_EQ(code, ErrorCode::invalid_argument);
  EXPECT_THAT(message, HasSubstr("ComponentName"));
  EXPECT_EQ(thrown([&] { control().components.create("{", std::nullopt); }).first,
            ErrorCode::invalid_argument);
}

TEST_F(ComponentsTest, VersionsAreListedHighestFirstInPages) {
  for (const auto* version : {"1.9.0", "1.10.0", "2.0.0-rc.1", "0.1.0"}) {
    add_component("com.ex.Hello", version);
  }
  EXPECT_THAT(versions("com.ex.Hello"),
              testing::ElementsAre("2.0.0-rc.1", "1.10.0", "1.9.0", "0.1.0"));
  const auto first = control().components.list_versions("com.ex.Hello", {3, ""});
  EXPECT_EQ(first.next, "1.9.0");
  const auto rest = control().components.list_versions("com.ex.Hello", {3, *first.next});
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_FALSE(rest.next);
  EXPECT_TRUE(control().components.list_versions("com.ex.None", {}).items.empty());
}

TEST_F(ComponentsTest, BuildsOfOneVersionAreVersionsOfTheirOwn) {
  for (const auto* version : {"1.0.0+b2", "1.0.0", "1.0.0+b10", "1.0.0+b1"}) {
    add_component("com.ex.Hello", version);
  }
  std::vector<std::string> listed;
  PageRequest page{1, ""};
  for (bool more = true; more;) {
    const auto found = control().components.list_versions("com.ex.Hello", page);
    for (const auto& item : found.items) listed.push_back(item.version);
    more = found.next.has_value();
    page.after = found.next.value_or("");
  }
  EXPECT_THAT(listed, testing::ElementsAre("1.0.0+b2", "1.0.0+b10", "1.0.0+b1", "1.0.0"));
  const auto resolve = [&](const std::string& requirement, const char* local) {
    ComponentCandidate candidate;
    candidate.name = "com.ex.Hello";
    candidate.requirements = {{"thing/dev1", requirement}};
    if (local != nullptr) candidate.local_version = local;
    return control().components.resolve(candidate, {}).summary.version;
  };
  for (const auto* exact : {"1.0.0+b1", "1.0.0+b2", "1.0.0", "=1.0.0+b10"}) {
    const std::string wanted = exact[0] == '=' ? exact + 1 : exact;
    EXPECT_EQ(resolve(exact, nullptr), wanted);
    EXPECT_EQ(resolve(exact, "1.0.0+b2"), wanted);
  }
  EXPECT_EQ(resolve("^1.0.0", nullptr), "1.0.0+b2");
  EXPECT_EQ(resolve("^1.0.0", "1.0.0+b1"), "1.0.0+b1");  // what the device has stays
  EXPECT_EQ(thrown([&] { (void)resolve("1.0.0+b3", nullptr); }).first, ErrorCode::not_found);
}

TEST_F(ComponentsTest, ComponentsAreListedOnceWithTheirHighestVersion) {
  add_component("com.ex.B", "1.0.0");
  add_component("com.ex.A", "1.0.0");
  add_component("com.ex.A", "1.2.0");
  const auto first = control().components.list({1, ""});
  ASSERT_EQ(first.items.size(), 1U);
  EXPECT_EQ(first.items[0].name, "com.ex.A");
  EXPECT_EQ(first.items[0].version, "1.2.0");
  const auto second = control().components.list({1, *first.next});
  EXPECT_EQ(second.items.at(0).name, "com.ex.B");
  EXPECT_FALSE(second.next);
}

TEST_F(ComponentsTest, ResolvingTakesTheHighestThatEverybodyAccepts) {
  for (const auto* version : {"1.0.0", "1.5.0", "2.0.0"}) add_component("com.ex.Hello", version);
  const std::map<std::string, std::string> linux_device{{"os", "linux"}};
  const auto resolve = [&](const ComponentCandidate& candidate) {
    return control().components.resolve(candidate, linux_device).summary.version;
  };
  EXPECT_EQ(resolve({"com.ex.Hello", {}, {}}), "2.0.0");
  EXPECT_EQ(resolve({"com.ex.Hello", {}, {{"requirements", ""}}}), "2.0.0");
  EXPECT_EQ(resolve({"com.ex.Hello", {}, {{"a", "^1.0.0"}, {"b", "*"}}}), "1.5.0");
  EXPECT_EQ(resolve({"com.ex.Hello", {}, {{"a", ">=1.0.0 <2.0.0"}, {"b", "1.0.0"}}}), "1.0.0");
  EXPECT_EQ(resolve({"com.ex.Hello", "1.0.0", {{"a", "^1.0.0"}}}), "1.0.0");
  EXPECT_EQ(resolve({"com.ex.Hello", "0.9.0", {{"a", "^1.0.0"}}}), "1.5.0");
}

TEST_F(ComponentsTest, WhatCannotBeResolvedIsWordedAsDevicesExpect) {
  add_component("com.ex.Hello", "1.0.0");
  const auto no_version = thrown([&] {
    (void)control().components.resolve({"com.ex.Hello", {}, {{"thinggroup/G", "3.0.0"}}},
                                       {{"os", "linux"}});
  });
  EXPECT_EQ(no_version.first, ErrorCode::not_found);
  EXPECT_THAT(no_version.second, HasSubstr("no usable version"));
  EXPECT_THAT(no_version.second, HasSubstr("thinggroup/G wants \"3.0.0\""));
  const auto no_platform = thrown([&] {
    (void)control().components.resolve({"com.ex.Hello", {}, {}}, {{"os", "windows"}});
  });
  EXPECT_EQ(no_platform.first, ErrorCode::not_found);
  EXPECT_THAT(no_platform.second, HasSubstr("claim platform"));
  try {
    (void)control().components.resolve({"com.ex.Hello", {}, {}}, {{"os", "windows"}});
  } catch (const Error& error) {
    EXPECT_EQ(fleet::reason_of(error), fleet::kPlatformNotSupported);
  }
}

TEST_F(ComponentsTest, DeletingAVersionReleasesItsBytesUnlessADeviceStillNeedsThem) {
  put_object("models", "a/weights.onnx", "first");
  control().components.create(recipe("com.ex.Model", "1.0.0", std::string(kOneArtifact)),
                              std::nullopt);
  control().things.create("dev1", {});
  const Deployment deployment = deploy("thing/dev1", "com.ex.Model", "1.0.0");
  const auto [code, message] =
      thrown([&] { control().components.remove("com.ex.Model", "1.0.0"); });
  EXPECT_EQ(code, ErrorCode::conflict);
  EXPECT_THAT(message, HasSubstr("dev1"));

  control().deployments.cancel(deployment.id);
  control().components.remove("com.ex.Model", "1.0.0");
  EXPECT_FALSE(control().components.find("com.ex.Model", "1.0.0"));
  EXPECT_TRUE(objects().list({std::string(kArtifactBucket), "", "", "", 10}).objects.empty());
  EXPECT_EQ(thrown([&] { control().components.remove("com.ex.Model", "1.0.0"); }).first,
            ErrorCode::not_found);
}

}  // namespace
}  // namespace andon::control
