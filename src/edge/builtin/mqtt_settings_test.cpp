// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/mqtt_settings.hpp"

#include <gmock/gmock.h>

#include "base/json/json.hpp"

namespace andon::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MqttSettings read(std::string_view text) {
  const auto value = base::parse_json(text, "nucleus");
  return read_mqtt_settings(&value.as_object());
}

TEST(MqttSettings, AreGreengrassKeysAsNumbersOrTexts) {
  const MqttSettings settings = read(
      R"({"mqtt":{"version":"mqtt3","keepAliveTimeoutMs":60500,"maxInFlightPublishes":"5",
                  "sessionExpirySeconds":7200,"port":443,"pingTimeoutMs":1,
                  "spooler":{"maxSizeInBytes":2621440,"andonMaxAgeSeconds":86400}}})");
  EXPECT_THAT(settings.problems, IsEmpty());
  EXPECT_EQ(settings.tuning.version, wire::MqttVersion::v3_1_1);
  EXPECT_EQ(settings.tuning.keep_alive, std::chrono::seconds{61});
  EXPECT_EQ(settings.tuning.max_in_flight, 5);
  EXPECT_EQ(settings.tuning.session, std::chrono::hours{2});
  EXPECT_EQ(settings.spool_bytes, 2'621'440U);
  EXPECT_EQ(settings.spool_age, std::chrono::hours{24});
}

TEST(MqttSettings, WithoutAnyAreThoseOfTheAgent) {
  for (const MqttSettings& settings : {read_mqtt_settings(nullptr), read("{}")}) {
    EXPECT_EQ(settings.tuning.version, wire::MqttVersion::v5);
    EXPECT_EQ(settings.tuning.session, std::chrono::hours{1});
    EXPECT_FALSE(settings.spool_bytes || settings.spool_age);
  }
}

TEST(MqttSettings, ThatCannotBeUsedAreLeftOutByName) {
  const MqttSettings settings = read(
      R"({"mqtt":{"version":"mqtt4","keepAliveTimeoutMs":10,"maxInFlightPublishes":0,
                  "sessionExpirySeconds":-1,"spooler":{"maxSizeInBytes":"much"}}})");
  EXPECT_THAT(
      settings.problems,
      ElementsAre(HasSubstr("mqtt.version"), HasSubstr("mqtt.keepAliveTimeoutMs"),
                  HasSubstr("mqtt.maxInFlightPublishes"), HasSubstr("mqtt.sessionExpirySeconds"),
                  HasSubstr("mqtt.spooler.maxSizeInBytes")));
  EXPECT_EQ(settings.tuning, read("{}").tuning);
  EXPECT_EQ(read(R"({"mqtt":7})").problems.size(), 1U);
}

}  // namespace
}  // namespace andon::edge
