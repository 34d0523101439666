// SPDX-License-Identifier: Apache-2.0
#include "control/alarms/alarms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/results/results.hpp"
#include "control/shared/own_events.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using fleet::Figure;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kGib = 1U << 30U;

class AlarmsTest : public testing::Test, public ControlFixture {
 protected:
  AlarmsTest() {
    control().things.create("dev1", {});
    make();
    (void)told();
  }
  void make() {
    alarms_.emplace(Alarms::Parts{.database = database(),
                                  .results = *results_database_,
                                  .outbox = control().outbox,
                                  .telemetry = control().telemetry,
                                  .clock = clock(),
                                  .disk = [this] { return disk_; },
                                  .limits = limits_});
  }
  void tell_disk(double free_mib) {
    fleet::TelemetryPoint point{.time = clock().now()};
    at(point.figures, Figure::disk_free) = free_mib;
    at(point.figures, Figure::disk_size) = 1000;
    control().telemetry.take("dev1", base::to_text(fleet::to_telemetry_message(point)));
    control().telemetry.write();
  }
  void judge(int parts, const std::string& verdict) {
    std::vector<NewResult> all;
    for (int i = 0; i < parts; ++i) {
      all.push_back({.thing = "dev1",
                     .time = clock().now(),
                     .image = std::to_string(++part_),
                     .component = "com.ex.Inspect",
                     .verdict = verdict,
                     .message = "{}"});
    }
    (void)results_.put(all);
  }
  // Checks, and gives what the bus is told: "DEVICE_DISK ALARM dev1".
  std::vector<std::string> check() {
    alarms_->check();
    return told();
  }
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    database().write([&](store::Transaction& tx) {
      const OutboxBatch batch = Outbox::read(tx, "test", 1000);
      for (const OutboxEntry& entry : batch.entries) {
        Outbox::advance(tx, "test", entry.id);
        if (entry.kind != kAlarmEvent) continue;
        payload_ = base::parse_json(entry.payload, "event").as_object();
        lines.push_back(std::string(payload_.at("alarm").as_string()) + " " +
                        std::string(payload_.at("state").as_string()) + " " + entry.subject);
      }
    });
    return lines;
  }

  base::TemporaryDirectory results_directory_;
  std::unique_ptr<store::Database> results_database_ =
      store::open_sqlite(results_directory_.path() / "results.db");
  Results results_{*results_database_, clock(), {}};
  std::optional<DiskRoom> disk_ = DiskRoom{.free_bytes = 50 * kGib, .size_bytes = 100 * kGib};
  AlarmLimits limits_;
  std::optional<Alarms> alarms_;
  json::object payload_;  // of the last event
  int part_ = 0;
};

TEST_F(AlarmsTest, TheServersDiskRaisesOneAlarmAndEndsItWhenThereIsClearlyRoom) {
  EXPECT_THAT(check(), IsEmpty());
  disk_->free_bytes = 9 * kGib;
  EXPECT_THAT(check(), ElementsAre("SERVER_DISK ALARM "));
  EXPECT_EQ(payload_.at("freePercent").to_number<double>(), 9);
  EXPECT_THAT(std::string(payload_.at("reason").as_string()), HasSubstr("9.0 GiB of 100.0 GiB"));
  disk_->free_bytes = 8 * kGib;
  EXPECT_THAT(check(), IsEmpty());
  disk_->free_bytes = 11 * kGib;  // not clearly: it may waver
  EXPECT_THAT(check(), IsEmpty());
  ASSERT_EQ(alarms_->list().size(), 1U);
  EXPECT_THAT(alarms_->list()[0].reason, HasSubstr("11.0%"));
  disk_->free_bytes = 13 * kGib;
  EXPECT_THAT(check(), ElementsAre("SERVER_DISK OK "));
  EXPECT_THAT(alarms_->list(), IsEmpty());
}

TEST_F(AlarmsTest, WhatIsRaisedStaysSoOverARestart) {
  disk_->free_bytes = kGib;
  EXPECT_EQ(check().size(), 1U);
  make();
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_EQ(alarms_->list().size(), 1U);
}

TEST_F(AlarmsTest, ADevicesDiskIsItsOwnAlarmAndSilenceDoesNotEndIt) {
  tell_disk(50);
  EXPECT_THAT(check(), ElementsAre("DEVICE_DISK ALARM dev1"));
  EXPECT_EQ(alarms_->list("dev1").size(), 1U);
  EXPECT_THAT(alarms_->list("dev2"), IsEmpty());
  clock().advance(hours{5});
  EXPECT_THAT(check(), IsEmpty());
  tell_disk(500);
  EXPECT_THAT(check(), ElementsAre("DEVICE_DISK OK dev1"));
}

TEST_F(AlarmsTest, ADeviceThatIsRemovedHasNoAlarm) {
  tell_disk(50);
  EXPECT_EQ(check().size(), 1U);
  control().things.remove("dev1");
  EXPECT_THAT(check(), ElementsAre("DEVICE_DISK OK dev1"));
}

TEST_F(AlarmsTest, ManyRejectedPartsWithinAnHourAreAnAlarmUntilTheyAreFew) {
  judge(20, "NG");
  EXPECT_THAT(check(), IsEmpty()) << "of few parts nothing is said";
  judge(60, "OK");
  EXPECT_THAT(check(), ElementsAre("REJECT_RATE ALARM dev1"));
  EXPECT_EQ(payload_.at("rejected"), 20);
  EXPECT_EQ(payload_.at("judged"), 80);
  EXPECT_EQ(payload_.at("rejectPercent").to_number<double>(), 25);
  clock().advance(minutes{1});
  judge(40, "OK");
  EXPECT_THAT(check(), IsEmpty());  // 16.7%: between
  judge(20, "OK");
  EXPECT_THAT(check(), ElementsAre("REJECT_RATE OK dev1"));
}

TEST_F(AlarmsTest, WhatIsOlderThanAnHourDoesNotCountAndNothingCountsTwiceAfterARestart) {
  judge(50, "NG");
  clock().advance(minutes{50});
  judge(50, "OK");
  EXPECT_EQ(check().size(), 1U);
  make();
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_EQ(alarms_->list()[0].figures.at("judged"), 100);
  clock().advance(minutes{30});
  EXPECT_THAT(check(), ElementsAre("REJECT_RATE OK dev1"));
  EXPECT_EQ(payload_.at("rejected"), 0);
}

TEST_F(AlarmsTest, ACertificateThatEndsAndWasNotRenewedIsOne) {
  const auto certificates = [&](std::string_view sql) {
    database().write([&](store::Transaction& tx) { tx.execute(sql, {}); });
  };
  const std::string end = std::to_string(base::to_epoch_millis(clock().now() + hours{24}));
  certificates(
      "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms) VALUES "
      "('c1', 'dev1', '', 'ACTIVE', 0, " +
      end + ")");
  EXPECT_THAT(check(), ElementsAre("CERTIFICATE ALARM dev1"));
  certificates(
      "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms) VALUES "
      "('c2', 'dev1', '', 'ACTIVE', 0, 99999999999999)");
  EXPECT_THAT(check(), ElementsAre("CERTIFICATE OK dev1"));
}

TEST_F(AlarmsTest, ALimitOfNothingRaisesNoneAndEndsWhatWasRaised) {
  disk_->free_bytes = 0;
  judge(100, "NG");
  EXPECT_EQ(check().size(), 2U);
  limits_ = {.disk_free_percent = 0, .reject_percent = 0};
  make();
  EXPECT_EQ(check().size(), 2U);
  EXPECT_THAT(alarms_->list(), IsEmpty());
  EXPECT_THAT(check(), IsEmpty());
}

}  // namespace
}  // namespace andon::control
