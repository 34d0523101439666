// SPDX-License-Identifier: Apache-2.0
#include "cli/deployment/plan.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

json::object object(std::string_view text) {
  return base::parse_json(text, "test").as_object();
}

TEST(DeploymentPlan, KeepsWhatRunsAndChangesOneVersion) {
  DeploymentPlan plan(object(
      R"({"A": {"componentVersion": "1.0.0", "runWith": {"posixUser": "u"}}, "B": {"componentVersion": "2.0.0"}})"));
  plan.put("A", "1.1.0");
  EXPECT_EQ(
      plan.components(),
      object(
          R"({"A": {"componentVersion": "1.1.0", "runWith": {"posixUser": "u"}}, "B": {"componentVersion": "2.0.0"}})"));
  plan.remove("B");
  EXPECT_FALSE(plan.has("B"));
  EXPECT_THROW(plan.remove("B"), base::Error);
}

TEST(DeploymentPlan, SetsValuesOfAConfigurationByTheirPath) {
  DeploymentPlan plan(object(
      R"({"A": {"componentVersion": "1.0.0", "configurationUpdate": {"merge": "{\"doubt\":{\"low\":0.2}}"}}})"));
  plan.set("A:doubt.high=0.5");
  plan.set("A:imageDirectory=/data/images:1");
  plan.set("A:classes=[\"scratch\"]");
  const json::value merge = base::parse_json(
      plan.components().at("A").at("configurationUpdate").at("merge").as_string(), "merge");
  EXPECT_EQ(
      merge.as_object(),
      object(
          R"({"doubt": {"low": 0.2, "high": 0.5}, "imageDirectory": "/data/images:1", "classes": ["scratch"]})"));
  for (const char* wrong : {"A", "A:x", "A:=1", ":x=1", "x=1"}) {
    EXPECT_THROW(plan.set(wrong), options::UsageError) << wrong;
  }
  EXPECT_THROW(plan.set("B:x=1"), options::UsageError);
}

TEST(DeploymentPlan, TakesAFileWhoseConfigurationIsAnObject) {
  DeploymentPlan plan({});
  plan.put_all(object(
      R"({"A": {"componentVersion": "1.0.0", "configurationUpdate": {"merge": {"x": 1}, "reset": ["/y"]}}})"));
  EXPECT_EQ(
      plan.components(),
      object(
          R"({"A": {"componentVersion": "1.0.0", "configurationUpdate": {"merge": "{\"x\":1}", "reset": ["/y"]}}})"));
  EXPECT_THROW(plan.put_all(object(R"({"A": "1.0.0"})")), base::Error);
  EXPECT_THROW(plan.put_all(object(R"({"A": {"configurationUpdate": {"merge": "[1]"}}})")),
               base::Error);
}

}  // namespace
}  // namespace andon::cli
