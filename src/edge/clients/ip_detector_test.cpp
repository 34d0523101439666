// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/ip_detector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/error/error.hpp"
#include "edge/testing/fake_loop_clock.hpp"

namespace andon::edge {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(IpDetectorSettings, AreThoseOfTheIpDetector) {
  const auto read = [](std::string_view text) {
    return read_ip_detector_settings(base::parse_json(text, "test").as_object());
  };
  EXPECT_EQ(read("{}"), IpDetectorSettings{});
  EXPECT_EQ(read(R"({"defaultPort": "9000", "includeIPv4LoopbackAddrs": "true",
                     "includeIPv4LinkLocalAddrs": true})"),
            (IpDetectorSettings{.port = 9000, .with_loopback = true, .with_link_local = true}));
  for (const char* const wrong : {R"({"defaultPort": 0})", R"({"defaultPort": 65536})",
                                  R"({"includeIPv4LoopbackAddrs": "perhaps"})"}) {
    EXPECT_THROW((void)read(wrong), base::Error) << wrong;
  }
}

TEST(IpDetectorSettings, SayWhichAddressesAreTold) {
  const IpDetectorSettings usual;
  const IpDetectorSettings all{.with_loopback = true, .with_link_local = true};
  EXPECT_TRUE(is_told(0x0A000001, usual));   // 10.0.0.1
  EXPECT_FALSE(is_told(0x7F000001, usual));  // 127.0.0.1
  EXPECT_TRUE(is_told(0x7F000001, all));
  EXPECT_FALSE(is_told(0xA9FE0101, usual));  // 169.254.1.1
  EXPECT_TRUE(is_told(0xA9FE0101, all));
  EXPECT_FALSE(is_told(0, all));
}

TEST(OwnAddresses, AreThisMachines) {
  EXPECT_THAT(own_addresses({.with_loopback = true}), Contains("127.0.0.1"));
  EXPECT_THAT(own_addresses({}), Not(Contains("127.0.0.1")));
}

class IpDetectorTest : public testing::Test {
 protected:
  ~IpDetectorTest() override { detector_.reset(); }
  void configure(std::string_view text) {
    configuration_ = base::parse_json(text, "test").as_object();
    detector_->refresh();
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  void fail(bool fails) {
    const std::lock_guard lock(mutex_);
    fails_ = fails;
  }
  void tell(const json::object& connectivity) {
    const std::lock_guard lock(mutex_);
    if (fails_) throw base::Error(base::ErrorCode::unavailable, "no route");
    std::string text;
    for (const json::value& one : connectivity.at("ConnectivityInfo").as_array()) {
      text += (text.empty() ? "" : " ") + std::string(one.at("HostAddress").as_string()) + ':' +
              std::to_string(one.at("PortNumber").to_number<int>());
    }
    told_.push_back(text);
  }
  void wait_for(std::size_t count) {
    EXPECT_TRUE(run_fast_until(loop_, clock_, [&] { return told().size() >= count; }));
  }

  FakeLoopClock clock_;
  EventLoop loop_{clock_};
  std::optional<json::object> configuration_;
  std::vector<std::string> addresses_{"10.0.0.1"};
  std::string note_;
  std::mutex mutex_;
  std::vector<std::string> told_;  // guarded by mutex_
  bool fails_ = false;             // guarded by mutex_
  std::unique_ptr<IpDetector> detector_ = std::make_unique<IpDetector>(
      IpDetector::Parts{loop_, [this] { return configuration_ ? &*configuration_ : nullptr; },
                        [this](const IpDetectorSettings&) { return addresses_; },
                        [this](const json::object& connectivity) { tell(connectivity); },
                        [this](const ComponentNote& note) { note_ = note.text; }});
};

TEST_F(IpDetectorTest, TellsWhatIsNewAndOnlyThat) {
  detector_->refresh();
  configure(R"({"defaultPort": 9000})");
  wait_for(1);
  addresses_ = {"10.0.0.1", "10.0.0.2"};
  clock_.advance(std::chrono::minutes(1));
  wait_for(2);
  configure(R"({"defaultPort": 9001})");
  wait_for(3);
  // Without an address there is nothing to tell; the same again is told once more after a pause.
  addresses_.clear();
  configuration_.reset();
  detector_->refresh();
  addresses_ = {"10.0.0.1"};
  configure(R"({"defaultPort": 9001})");
  wait_for(4);
  EXPECT_THAT(told(), ElementsAre("10.0.0.1:9000", "10.0.0.1:9000 10.0.0.2:9000",
                                  "10.0.0.1:9001 10.0.0.2:9001", "10.0.0.1:9001"));
}

TEST_F(IpDetectorTest, WhatFailsIsNamedAndTriedAgain) {
  fail(true);
  configure("{}");
  ASSERT_TRUE(run_fast_until(loop_, clock_, [&] { return !note_.empty(); }));
  EXPECT_THAT(note_, HasSubstr("no route"));
  fail(false);
  detector_->connection_changed(true);
  wait_for(1);
  ASSERT_TRUE(run_fast_until(loop_, clock_, [&] { return note_.empty(); }));
  configure(R"({"defaultPort": -1})");
  EXPECT_THAT(note_, HasSubstr("defaultPort"));
}

}  // namespace
}  // namespace andon::edge
