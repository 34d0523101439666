// SPDX-License-Identifier: Apache-2.0
#include "edge/control/agent_status.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error/error.hpp"
#include "base/os/process.hpp"
#include "base/testing/fake_clock.hpp"
#include "edge/cloud/certificate_renewal.hpp"
#include "edge/deploy/deployment_journal.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/installed_component.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

class AgentStatusTest : public testing::Test {
 protected:
  AgentStatusTest() { layout_.make(); }
  void provision() {
    DeviceConfig device;
    device.thing_name = "dev1";
    device.mqtt = {"h", 1};
    device.data_plane = {"h", 2};
    base::write_file_atomically(layout_.device_file(), base::to_text(to_json(device)));
  }
  void deploy() {
    const auto database = open_state_database(layout_.database());
    const DeploymentJournal journal(*database, clock_);
    database->write([&](store::Transaction& transaction) {
      DeploymentRecord record;
      record.job_id = "job";
      record.state_name = "RECEIVED";
      record.id = journal.begin(transaction, record);
      record.state_name = "FAILED";
      record.failure = FailureReport{"no space", {}, {}, false};
      journal.write(transaction, record);
      InstalledComponent component = installed_component("app");
      DeploymentJournal::write_last_good(transaction, {{component}, {}});
    });
  }
  void write_live(std::uint64_t start_ticks) const {
    write_live_status(layout_,
                      {{"pid", getpid()},
                       {"startTicks", start_ticks},
                       {"connected", false},
                       {"components", json::array{json::object{{"name", "app"},
                                                               {"version", "2.0.0"},
                                                               {"state", "BROKEN"},
                                                               {"reason", "exit code 7"}}}}});
  }

  base::TemporaryDirectory directory_;
  Layout layout_{directory_.path()};
  base::FakeClock clock_;
};

TEST_F(AgentStatusTest, WithoutADeviceItSaysWhatToDo) {
  try {
    static_cast<void>(read_status(layout_));
    ADD_FAILURE();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::failed_precondition);
    EXPECT_NE(error.message().find("andon-edge provision"), std::string::npos);
  }
}

TEST_F(AgentStatusTest, WithoutAnAgentItTellsWhatWouldRun) {
  provision();
  EXPECT_EQ(to_readable(read_status(layout_)), "dev1 of https://h:2: agent not running\n");
  deploy();
  const json::object status = read_status(layout_);
  EXPECT_EQ(status.at("components").as_array()[0].as_object().at("state"), "STOPPED");
  EXPECT_EQ(status.at("lastDeployment").as_object().at("state"), "FAILED");
  EXPECT_NE(to_readable(status).find("no space"), std::string::npos) << to_readable(status);
}

TEST_F(AgentStatusTest, ItTellsUntilWhenTheCertificateIsGood) {
  provision();
  const auto begin = base::parse_iso8601("2026-11-01T00:00:00Z").value();
  const auto authority = trust::make_certificate_authority("CA", begin, std::chrono::days(1000));
  const std::string csr = trust::make_csr(trust::make_private_key(), "dev1");
  const std::string pem = trust::sign_csr(
      authority, csr,
      {.common_name = "dev1", .not_before = begin, .lifetime = std::chrono::days(90)});
  base::write_file_atomically(certificate_file(layout_), pem);
  const auto due = base::to_iso8601(renewal_time(trust::describe_certificate(pem)));
  const std::string text = to_readable(read_status(layout_));
  EXPECT_NE(text.find("certificate until 2027-01-30T00:00:00"), std::string::npos) << text;
  EXPECT_NE(text.find("renewed after " + due), std::string::npos) << text;
}

TEST_F(AgentStatusTest, WhatComponentsSaidCannotSteerTheTerminalOrMakeLines) {
  provision();
  write_live_status(
      layout_, {{"pid", getpid()},
                {"startTicks", base::process_start_ticks(getpid()).value()},
                {"clock", json::object{{"aheadMs", -3'600'000}}},
                {"components",
                 json::array{json::object{{"name", "app"},
                                          {"version", "2.0.0"},
                                          {"state", "BROKEN"},
                                          {"reason", "\x1b[2J\nlast deployment x: SUCCEEDED"}}}}});
  const std::string text = to_readable(read_status(layout_));
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_EQ(text.find("\nlast deployment"), std::string::npos) << text;
  EXPECT_NE(text.find("(\\x1b[2J\\x0alast"), std::string::npos) << text;
  EXPECT_NE(text.find("this device's clock is 3600 s behind the server's\n"), std::string::npos);
}

TEST_F(AgentStatusTest, ARunningAgentsWordCountsAndADeadOnesDoesNot) {
  provision();
  deploy();
  write_live(base::process_start_ticks(getpid()).value());
  json::object status = read_status(layout_);
  EXPECT_EQ(status.at("agent"), "running");
  EXPECT_EQ(status.at("components").as_array()[0].as_object().at("version"), "2.0.0");
  EXPECT_NE(to_readable(status).find("agent running, offline"), std::string::npos);
  EXPECT_NE(to_readable(status).find("exit code 7"), std::string::npos);
  for (const char* const torn : {"", "{\"pid\": 1", "[]"}) {
    base::write_file_atomically(layout_.status_file(), torn);
    EXPECT_EQ(read_status(layout_).at("agent"), "not running") << torn;
  }
  write_live(1);  // another process has the number now
  status = read_status(layout_);
  EXPECT_EQ(status.at("agent"), "not running");
  EXPECT_EQ(status.at("components").as_array()[0].as_object().at("version"), "1.0.0");
}

}  // namespace
}  // namespace andon::edge
