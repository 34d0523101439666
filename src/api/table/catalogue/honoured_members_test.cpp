// SPDX-License-Identifier: Apache-2.0
#include "api/table/catalogue/honoured_members.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
namespace json = base::json;

std::string refusal(std::string_view service, std::string_view operation, const char* input) {
  try {
    check_honoured(service, operation, base::parse_json(input, "input").as_object());
  } catch (const base::Error& error) {
    return std::string(base::to_string(error.code())) + ": " + error.message();
  }
  return "honoured";
}

TEST(CheckHonoured, NamesTheFirstMemberThatDoesNotCountHoweverDeep) {
  const auto create = [](const char* input) {
    return refusal("greengrass", "CreateDeployment", input);
  };
  EXPECT_EQ(create(R"({"targetArn": "a", "tags": {"any": "tag"}, "components": {"com.ex.A": {
                       "componentVersion": "1.0.0", "runWith": {"posixUser": "u"}}}})"),
            "honoured");
  EXPECT_THAT(create(R"({"colour": 1})"), HasSubstr("unsupported: colour: "));
  EXPECT_THAT(create(R"({"components": {"a": {"runAs": "root"}}})"),
              HasSubstr("components.a.runAs: "));
  EXPECT_THAT(create(R"({"deploymentPolicies": {"componentUpdatePolicy": {"when": 1}}})"),
              HasSubstr("deploymentPolicies.componentUpdatePolicy.when: "));
  EXPECT_EQ(create(R"({"colour": null, "components": null, "tags": 5})"), "honoured");
  EXPECT_THAT(refusal("states", "CreateStateMachine", R"({"tags": [{"key": "a"}, {"Key": "b"}]})"),
              HasSubstr("tags.Key: "));
}

TEST(CheckHonoured, AnOperationWithoutARowIsADefect) {
  EXPECT_TRUE(has_honoured_members("iot", "ListThings"));
  EXPECT_FALSE(has_honoured_members("iot", "CreateStream"));
  EXPECT_THAT(refusal("iot", "CreateStream", "{}"), HasSubstr("internal: "));
}

}  // namespace
}  // namespace andon::api
