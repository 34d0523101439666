// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/nucleus_configurator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json/json.hpp"
#include "edge/testing/device_fixture.hpp"
#include "edge/testing/mqtt_link_fake.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::hours;
using testing::AllOf;
using testing::HasSubstr;

class NucleusConfiguratorTest : public DeviceFixture {
 protected:
  NucleusConfiguratorTest() { layout_.make(); }

  static json::object read(const char* text) {
    return base::parse_json(text, "configuration").as_object();
  }
  void take(const char* text) {
    const json::object configuration = read(text);
    configurator_.take(&configuration);
  }
  // What doing that writes into the log.
  template <typename Work>
  static std::string log_of(const Work& work) {
    testing::internal::CaptureStderr();
    work();
    return testing::internal::GetCapturedStderr();
  }

  SpoolLimits limits_{.max_bytes = 5U << 20U, .max_age = hours{48}};
  FakeMqttLink link_;
  PublishSpool spool_{loop_, link_, *database_, writer_, clock_, limits_};
  LinkBudget budget_{LinkBudget::real_world(directory_.path() / "link-volume.json")};
  TelemetryReporter telemetry_{{loop_, link_, clock_, {}, "dev1", [](fleet::Figures&) {}}};
  std::string note_ = "of before";
  NucleusConfigurator configurator_{{link_, spool_, budget_, telemetry_, limits_,
                                     [this](const ComponentNote& note) { note_ = note.text; }}};
};

TEST_F(NucleusConfiguratorTest, EachPartGetsWhatIsSaidOfIt) {
  take(R"({"mqtt": {"version": "mqtt3", "spooler": {"maxSizeInBytes": 2097152}},
           "andonLinkBudget": {"bytesPerSecond": 20000},
           "telemetry": {"enabled": false}})");
  EXPECT_EQ(link_.tuning.version, wire::MqttVersion::v3_1_1);
  EXPECT_EQ(spool_.limits().max_bytes, 2U << 20U);
  EXPECT_EQ(budget_.rate(LinkUse::downloads), 20'000U);
  EXPECT_EQ(note_, "");
  link_.connect(true);
  for (int minute = 0; minute < 3; ++minute) {
    loop_clock_.advance(std::chrono::minutes{1});
    settle(loop_, writer_);
  }
  EXPECT_TRUE(link_.published.empty());
}

TEST_F(NucleusConfiguratorTest, WithoutAConfigurationTheCommandLineHolds) {
  take(R"({"mqtt": {"spooler": {"maxSizeInBytes": 2097152, "andonMaxAgeSeconds": 60}},
           "andonLinkBudget": {"bytesPerSecond": 20000}})");
  configurator_.take(nullptr);
  EXPECT_EQ(spool_.limits().max_bytes, limits_.max_bytes);
  EXPECT_EQ(spool_.limits().max_age, limits_.max_age);
  EXPECT_EQ(budget_.rate(LinkUse::downloads), 0U);
}

TEST_F(NucleusConfiguratorTest, OfTwoAgesOfTheSpoolTheShorterCounts) {
  take(R"({"mqtt": {"spooler": {"andonMaxAgeSeconds": 60}}})");
  EXPECT_EQ(spool_.limits().max_age, std::chrono::seconds{60});
  take(R"({"mqtt": {"spooler": {"andonMaxAgeSeconds": 604800}}})");
  EXPECT_EQ(spool_.limits().max_age, hours{48});
  take(R"({"mqtt": {"spooler": {"andonMaxAgeSeconds": 0}}})");
  EXPECT_EQ(spool_.limits().max_age, hours{48});
}

TEST_F(NucleusConfiguratorTest, TheNoteNamesAllThatIsLeftOutAndTheLogSaysItOnce) {
  const char* const wrong = R"({"mqtt": {"maxInFlightPublishes": 0}, "telemetry": {"enabled": 7},
                                "andonLinkBudget": {"bytesPerSecond": 1}})";
  const auto names_all = AllOf(HasSubstr("mqtt.maxInFlightPublishes"),
                               HasSubstr("telemetry.enabled"), HasSubstr("bytesPerSecond"));
  EXPECT_THAT(log_of([&] { take(wrong); }), names_all);
  EXPECT_THAT(note_, names_all);
  note_.clear();
  EXPECT_EQ(log_of([&] { take(wrong); }), "");
  EXPECT_THAT(note_, names_all);
  EXPECT_EQ(log_of([&] { take("{}"); }), "");
  EXPECT_EQ(note_, "");
  EXPECT_THAT(log_of([&] { take(wrong); }), names_all);
}

TEST_F(NucleusConfiguratorTest, ADeploymentInHandBringsItsBudgetAlone) {
  take(R"({"mqtt": {"version": "mqtt3", "maxInFlightPublishes": 0}})");
  const json::object planned = read(R"({"mqtt": {"version": "mqtt5"},
                                        "andonLinkBudget": {"bytesPerSecond": 30000}})");
  configurator_.take_budget(&planned);
  EXPECT_EQ(budget_.rate(LinkUse::downloads), 30'000U);
  EXPECT_EQ(link_.tuning.version, wire::MqttVersion::v3_1_1);
  EXPECT_THAT(note_, HasSubstr("mqtt.maxInFlightPublishes"));
}

}  // namespace
}  // namespace andon::edge
