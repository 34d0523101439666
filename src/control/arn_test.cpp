// SPDX-License-Identifier: Apache-2.0
#include "control/arn.hpp"

#include <gtest/gtest.h>

namespace andon::control {
namespace {

TEST(Arns, AreWrittenWithTheServersRegionAndAccount) {
  const Arns arns("eu-central-1", "123456789012");
  EXPECT_EQ(arns.component_version("com.ex.Hello", "1.0.0"),
            "arn:aws:greengrass:eu-central-1:123456789012:components:com.ex.Hello:versions:1.0.0");
  EXPECT_EQ(arns.configuration("thing/dev1", 3),
            "arn:aws:greengrass:eu-central-1:123456789012:configuration:thing/dev1:3");
}

TEST(ParseTargetArn, TakesThingsAndGroupsOfAnyRegion) {
  EXPECT_EQ(parse_target_arn("arn:aws:iot:us-east-1:000000000000:thing/dev1"),
            (Target{Target::Kind::thing, "dev1"}));
  EXPECT_EQ(parse_target_arn("arn:aws-cn:iot:local:1:thinggroup/line:a_1"),
            (Target{Target::Kind::thing_group, "line:a_1"}));
}

TEST(ParseTargetArn, RefusesWhatIsNotATarget) {
  for (const std::string_view arn :
       {"", "dev1", "arn:aws:iot:r:a:thing/", "arn:aws:iot:r:a:job/x", "arn:aws:s3:r:a:thing/x",
        "arn:aws:iot:r:a:thing/a/b", "arn:aws:iot:r:a:thing/a+b", "arn:aws:iot:r:a"}) {
    EXPECT_FALSE(parse_target_arn(arn)) << arn;
  }
}

TEST(ParseComponentArn, TellsAComponentFromItsVersion) {
  const auto component = parse_component_arn("arn:aws:greengrass:r:a:components:com.ex.Hello");
  ASSERT_TRUE(component);
  EXPECT_EQ(component->name, "com.ex.Hello");
  EXPECT_FALSE(component->version);
  const auto version =
      parse_component_arn("arn:aws:greengrass:r:a:components:com.ex.Hello:versions:1.0.0-rc.1");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->version, "1.0.0-rc.1");
  EXPECT_FALSE(parse_component_arn("arn:aws:greengrass:r:a:components:"));
  EXPECT_FALSE(parse_component_arn("arn:aws:greengrass:r:a:components:x:versions:"));
  EXPECT_FALSE(parse_component_arn("arn:aws:greengrass:r:a:components:x:y"));
}

TEST(ParseConfigurationArn, GivesTargetAndRevision) {
  const auto ref =
      parse_configuration_arn("arn:aws:greengrass:r:a:configuration:thinggroup/a:b:12");
  ASSERT_TRUE(ref);
  EXPECT_EQ(ref->target, (Target{Target::Kind::thing_group, "a:b"}));
  EXPECT_EQ(ref->revision, 12);
  EXPECT_FALSE(parse_configuration_arn("arn:aws:greengrass:r:a:configuration:thing/a:x"));
  EXPECT_FALSE(parse_configuration_arn("arn:aws:greengrass:r:a:configuration:thing/a"));
}

}  // namespace
}  // namespace andon::control
