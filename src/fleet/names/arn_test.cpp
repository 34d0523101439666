// SPDX-License-Identifier: Apache-2.0
#include "fleet/names/arn.hpp"

#include <gtest/gtest.h>

namespace andon::fleet {
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

TEST(ParseCertificateArn, TakesACertificatesAndNothingElse) {
  EXPECT_EQ(parse_certificate_arn("arn:aws:iot:r:a:cert/00ff"), "00ff");
  for (const std::string_view arn :
       {"", "00ff", "arn:aws:iot:r:a:thing/x", "arn:aws:s3:r:a:cert/00ff", "arn:aws:iot:r:a"}) {
    EXPECT_FALSE(parse_certificate_arn(arn)) << arn;
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

TEST(Arns, AConfigurationArnNamesItsTarget) {
  EXPECT_EQ(target_of("arn:aws:greengrass:us-east-1:000000000000:configuration:thinggroup/G1:12"),
            "thinggroup/G1");
  EXPECT_EQ(target_of("arn:aws:greengrass:local:000000000000:configuration:thing/dev1:1"),
            "thing/dev1");
  EXPECT_EQ(target_of("something"), "something");
}

TEST(ArnTest, ALogGroupIsReadWithAndWithoutItsStreams) {
  const Arns arns("eu-central-1", "123456789012");
  const std::string arn = arns.log_group("/plant/a.b#1");
  EXPECT_EQ(arn, "arn:aws:logs:eu-central-1:123456789012:log-group:/plant/a.b#1");
  EXPECT_EQ(parse_log_group_arn(arn)->name, "/plant/a.b#1");
  EXPECT_FALSE(parse_log_group_arn(arn)->has_streams);
  EXPECT_EQ(parse_log_group_arn(arn + ":*")->name, "/plant/a.b#1");
  EXPECT_TRUE(parse_log_group_arn(arn + ":*")->has_streams);
  for (const char* other : {"", "x", "arn:aws:logs:r:a:log-group:", "arn:aws:logs:r:a:log-group::*",
                            "arn:aws:s3:r:a:log-group:x", "arn:aws:logs:r:a:log-group:x:y:*"}) {
    EXPECT_FALSE(parse_log_group_arn(other)) << other;
  }
}

TEST(ArnTest, AConnectionIsReadByNameAndId) {
  const Arns arns("eu-central-1", "123456789012");
  const auto ref = parse_connection_arn(arns.connection("mes", "11-22"));
  ASSERT_TRUE(ref);
  EXPECT_EQ(ref->name, "mes");
  EXPECT_EQ(ref->id, "11-22");
  for (const char* other :
       {"", "arn:aws:events:r:a:connection/x", "arn:aws:events:r:a:connection//y",
        "arn:aws:events:r:a:connection/x/", "arn:aws:events:r:a:rule/x/y"}) {
    EXPECT_FALSE(parse_connection_arn(other)) << other;
  }
}

}  // namespace
}  // namespace andon::fleet
