// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/interpolate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::recipe {
namespace {

InterpolationContext context() {
  InterpolationContext result;
  result.self.configuration =
      base::parse_json(R"({"text":"a b","number":0.87,"whole":3,"yes":true,"none":null,
                           "list":[1,"x"],"nested":{"a/b":{"c":"deep"}},"brace":"{work:path}"})",
                       "configuration")
          .as_object();
  result.self.artifacts_path = "/gg/packages/artifacts/a/1.0.0";
  result.self.decompressed_artifacts_path = "/gg/packages/artifacts-unarchived/a/1.0.0";
  result.self.work_path = "/gg/work/a";
  result.dependencies["com.example.Model-2"] = {
      base::parse_json(R"({"name":"tags"})", "configuration").as_object(),
      "/gg/packages/artifacts/m/2.0.0", "/gg/packages/artifacts-unarchived/m/2.0.0", "/gg/work/m"};
  result.root_path = "/gg";
  result.thing_name = "line-1";
  return result;
}

struct Case {
  std::string_view text;
  std::string_view result;
};

TEST(Interpolate, ReplacesEveryVariable) {
  const Case cases[] = {
      {"", ""},
      {"no variables", "no variables"},
      {"{configuration:/text}", "a b"},
      {"--t={configuration:/number} {configuration:/whole}", "--t=0.87 3"},
      {"{configuration:/yes}{configuration:/none}", "truenull"},
      {"{configuration:/list}", R"([1,"x"])"},
      {"{configuration:/list/1}", "x"},
      {"{configuration:/nested}", R"({"a/b":{"c":"deep"}})"},
      {"{configuration:/nested/a~1b/c}", "deep"},
      {"{artifacts:path}/x", "/gg/packages/artifacts/a/1.0.0/x"},
      {"{artifacts:decompressedPath}", "/gg/packages/artifacts-unarchived/a/1.0.0"},
      {"{work:path} {kernel:rootPath} {iot:thingName}", "/gg/work/a /gg line-1"},
      {"{com.example.Model-2:configuration:/name}", "tags"},
      {"{com.example.Model-2:artifacts:path}", "/gg/packages/artifacts/m/2.0.0"},
      {"{com.example.Model-2:work:path}", "/gg/work/m"},
      // A value is not looked at again.
      {"{configuration:/brace}", "{work:path}"},
      {"${X:-{configuration:/text}}", "${X:-a b}"},
      {"{{iot:thingName}}", "{line-1}"},
  };
  for (const auto& [text, result] : cases) {
    EXPECT_EQ(interpolate(text, context(), "a test"), result) << text;
  }
}

TEST(Interpolate, LeavesWhatIsNoVariable) {
  for (const std::string_view text :
       {"{", "}", "{}", "{a}", "${HOME}", "${X:-y}", "{shell:thing}", "{a:b:c:d}",
        "awk '{print $1}'", R"({"a":"b"})", "{configuration:/text", "{ configuration:/text}",
        "{:path}", "{a:shell:thing}", "{configuration", "{work:", "{x:work:path"}) {
    EXPECT_EQ(interpolate(text, context(), "a test"), text);
  }
}

TEST(Interpolate, RefusesAValueThatWouldCutTheScriptShort) {
  InterpolationContext with_nul = context();
  with_nul.self.configuration["text"] = std::string("a\0b", 3);
  try {
    ADD_FAILURE() << interpolate("echo {configuration:/text}; more", with_nul, "step run of a");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(),
                testing::HasSubstr("{configuration:/text} has a value with a NUL"));
  }
}

TEST(Interpolate, FailsNamingTheVariableThatHasNoValue) {
  const Case cases[] = {
      {"x {configuration:/missing} y", "{configuration:/missing} names a configuration value"},
      {"{configuration:/text/deeper}", "does not exist"},
      {"{configuration:text}", "needs a JSON pointer"},
      {"{artifacts:paht}", "{artifacts:paht} is not known"},
      {"{work:}", "is not known"},
      {"{com.example.Other:artifacts:path}", "ComponentDependencies"},
      {"{com.example.Model-2:configuration:/x}", "does not exist"},
  };
  for (const auto& [text, expected] : cases) {
    try {
      ADD_FAILURE() << interpolate(text, context(), "step run of a");
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), testing::StartsWith("step run of a: the variable {"));
      EXPECT_THAT(error.message(), testing::HasSubstr(expected));
    }
  }
}

TEST(Interpolate, CoversAllTextsOfALifecycle) {
  Lifecycle lifecycle;
  lifecycle.setenv["A"] = "{iot:thingName}";
  auto& step = lifecycle.steps[Step::install];
  step.script = "echo {configuration:/text}";
  step.skip_if = "exists {work:path}/done";
  step.timeout = "{configuration:/whole}";
  step.setenv["B"] = "{kernel:rootPath}";
  const auto done = interpolate(lifecycle, context(), "com.example.A 1.0.0");
  EXPECT_EQ(done.setenv.at("A"), "line-1");
  EXPECT_EQ(done.find(Step::install)->script, "echo a b");
  EXPECT_EQ(done.find(Step::install)->skip_if, "exists /gg/work/a/done");
  EXPECT_EQ(done.find(Step::install)->timeout, "3");
  EXPECT_EQ(done.find(Step::install)->setenv.at("B"), "/gg");

  lifecycle.steps[Step::install].setenv["B"] = "{configuration:/no}";
  try {
    static_cast<void>(interpolate(lifecycle, context(), "com.example.A 1.0.0"));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(),
                testing::StartsWith("com.example.A 1.0.0, step install, Setenv B: "));
  }
}

TEST(Interpolate, CoversAllTextsOfAJsonValueButNotItsKeys) {
  const auto value = base::parse_json(R"({"{iot:thingName}":["{iot:thingName}",1,null]})", "value");
  EXPECT_EQ(base::to_text(interpolate_json(value, context(), "accessControl")),
            R"({"{iot:thingName}":["line-1",1,null]})");
}

TEST(Interpolate, BoundsTheResult) {
  auto large = context();
  large.self.configuration["big"] = std::string(1000, 'x');
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "{configuration:/big}";
  EXPECT_THROW(static_cast<void>(interpolate(text, large, "a test")), base::Error);
}

}  // namespace
}  // namespace andon::recipe
