// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/certificate_renewal.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/testing/fake_clock.hpp"
#include "edge/testing/fake_loop_clock.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

const base::Timestamp kBegin = base::from_epoch_millis(1'795'343'912'000);

trust::CertificateInfo certificate(std::string fingerprint, base::Timestamp begin) {
  trust::CertificateInfo info;
  info.fingerprint = std::move(fingerprint);
  info.not_before = begin;
  info.not_after = begin + days(90);
  return info;
}

TEST(RenewalTime, IsWhenAThirdIsLeftAndSpreadsAFleetOverDays) {
  EXPECT_EQ(renewal_time(certificate("0000aa", kBegin)), kBegin + days(60));
  const base::Timestamp last = renewal_time(certificate("ffff00", kBegin));
  EXPECT_GT(last, kBegin + days(62));
  EXPECT_LT(last, kBegin + days(63));
}

class CertificateRenewerTest : public testing::Test {
 protected:
  // As the agent does at its start, `after` the certificate was made.
  void start(std::chrono::milliseconds after) {
    clock_.advance(after);
    renewer_ = std::make_unique<CertificateRenewer>(CertificateRenewer::Parts{
        loop_, time_, [this] { return is_connected_; },
        [this] {
          if (!is_reachable_) {
            throw base::Error(ErrorCode::unavailable, "no network");
          }
          ++questions_;
          return ServerWord{clock_.now() + server_is_ahead_, takes_certificate_};
        },
        [this] { return on_disk_; }, [this] { renew(); }, [this] { ++renewed_; },
        [this] { ++changes_; }});
  }
  void renew() {
    ++attempts_;
    if (refusal_) throw base::Error(*refusal_, "the server says no");
    on_disk_ = certificate("0000bb", clock_.now() + server_is_ahead_);
  }
  // Time goes by in which nothing is to happen.
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    loop_clock_.advance(time);
    EXPECT_FALSE(loop_.run_until([&] { return attempts_ > ended_; }, std::chrono::milliseconds{2}));
  }
  // Time goes by, at the end of which there is an attempt.
  void attempt_after(std::chrono::milliseconds time) {
    clock_.advance(time);
    loop_clock_.advance(time);
    ASSERT_TRUE(loop_.run_until([&] { return changes_ > ended_; }, seconds(20)));
    ++ended_;
    EXPECT_EQ(attempts_, ended_);
  }
  std::string told(std::string_view member) {
    const auto status = renewer_->status();
    const auto* const found = status.if_contains(member);
    return found == nullptr ? "" : std::string(found->as_string());
  }

  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  base::FakeClock clock_{kBegin};
  ServerTime time_{clock_, loop_};
  std::atomic<bool> is_reachable_ = true;
  std::atomic<bool> takes_certificate_ = true;
  std::atomic<int> questions_ = 0;
  bool is_connected_ = true;
  hours server_is_ahead_{0};
  trust::CertificateInfo on_disk_ = certificate("0000aa", kBegin);
  std::optional<ErrorCode> refusal_;
  std::atomic<int> attempts_ = 0;
  int renewed_ = 0;
  int changes_ = 0;
  int ended_ = 0;  // attempts
  std::unique_ptr<CertificateRenewer> renewer_;
};

TEST_F(CertificateRenewerTest, RenewsWhenItIsTimeAndNotBefore) {
  start(hours(0));
  pass(hours(0));
  for (int hour = 0; hour < 60 * 24 - 1; ++hour) pass(hours(1));
  EXPECT_EQ(told("renewAfter"), base::to_iso8601(kBegin + days(60)));
  attempt_after(hours(1));
  EXPECT_EQ(renewed_, 1);
  EXPECT_EQ(told("id"), "0000bb");
  EXPECT_EQ(told("notAfter"), base::to_iso8601(kBegin + days(150)));
  for (int hour = 0; hour < 24; ++hour) pass(hours(1));
}

TEST_F(CertificateRenewerTest, OneThatRanOutWhileTheDeviceWasOffIsRenewedAtOnce) {
  start(days(200));
  attempt_after(hours(0));
  EXPECT_EQ(renewed_, 1);
}

TEST_F(CertificateRenewerTest, TriesAgainLessAndLessOftenAndSaysWhy) {
  refusal_ = ErrorCode::unavailable;
  start(days(61));
  attempt_after(hours(0));
  EXPECT_EQ(told("problem"), "the server says no");
  EXPECT_EQ(told("id"), "0000aa");
  pass(seconds(14));
  attempt_after(seconds(16));
  for (int hour = 0; hour < 20; ++hour) attempt_after(hours(1));
  pass(std::chrono::minutes(29));  // an hour at the longest, half of which is drawn
  refusal_.reset();
  attempt_after(std::chrono::minutes(31));
  EXPECT_EQ(renewed_, 1);
  EXPECT_EQ(told("problem"), "");
}

TEST_F(CertificateRenewerTest, WhoIsRefusedAsksOnceAnHour) {
  refusal_ = ErrorCode::permission_denied;
  start(days(61));
  attempt_after(hours(0));
  pass(std::chrono::minutes(29));
  attempt_after(std::chrono::minutes(31));
}

TEST_F(CertificateRenewerTest, AClockThatIsPutRightIsNoticed) {
  start(hours(0));
  pass(hours(0));
  clock_.advance(days(70));
  attempt_after(hours(1));
  EXPECT_EQ(renewed_, 1);
}

TEST_F(CertificateRenewerTest, OnADeviceWhoseClockIsBehindItGoesByTheServersTime) {
  server_is_ahead_ = days(61);
  start(hours(0));
  pass(hours(0));  // the broker may tell it meanwhile
  attempt_after(std::chrono::minutes(1));
  EXPECT_EQ(renewed_, 1);
  EXPECT_EQ(told("notAfter"), base::to_iso8601(kBegin + days(61 + 90) + std::chrono::minutes(1)));
  for (int hour = 0; hour < 24; ++hour) pass(hours(1));
}

TEST_F(CertificateRenewerTest, WhatTheBrokerToldIsEnough) {
  is_reachable_ = false;
  start(hours(0));
  pass(hours(0));
  time_.learn(kBegin + days(61));
  attempt_after(std::chrono::minutes(1));
  EXPECT_EQ(renewed_, 1);
}

TEST_F(CertificateRenewerTest, OnADeviceWhoseClockIsAheadItDoesNotRenewOverAndOver) {
  server_is_ahead_ = -days(3650);
  on_disk_ = certificate("0000aa", kBegin - days(3650));
  start(hours(0));
  for (int hour = 0; hour < 48; ++hour) pass(hours(1));
  EXPECT_EQ(attempts_, 0);
}

TEST_F(CertificateRenewerTest, AClockThatJumpsWhileItRunsChangesNothing) {
  start(hours(0));
  pass(std::chrono::minutes(1));
  pass(hours(1));  // asked by now
  ASSERT_TRUE(loop_.run_until([&] { return time_.is_known(); }, seconds(20)));
  clock_.advance(days(3650));
  for (int hour = 0; hour < 48; ++hour) pass(hours(1));
  clock_.advance(-days(7300));
  for (int hour = 0; hour < 48; ++hour) pass(hours(1));
  EXPECT_EQ(attempts_, 0);
}

TEST_F(CertificateRenewerTest, ACertificateThatTheServerDoesNotTakeIsRenewedSoon) {
  start(hours(0));
  pass(hours(0));
  time_.learn(kBegin);
  renewer_->connection_changed(true);
  is_connected_ = false;
  takes_certificate_ = false;
  renewer_->connection_changed(false);
  attempt_after(std::chrono::minutes(1));
  EXPECT_EQ(renewed_, 1);
}

TEST_F(CertificateRenewerTest, WhileTheBrokerIsAwayItAsksLessAndLessOften) {
  start(hours(0));
  pass(hours(0));
  time_.learn(kBegin);
  is_connected_ = false;
  for (int minute = 0; minute < 24 * 60; ++minute) {
    renewer_->connection_changed(false);
    pass(std::chrono::minutes(1));
  }
  EXPECT_GT(questions_, 5);
  EXPECT_LT(questions_, 24 * 2 + 20);
  EXPECT_EQ(attempts_, 0);
}

TEST_F(CertificateRenewerTest, OfflineItSaysSoOnlyWhenItIsDueByItsOwnClock) {
  is_reachable_ = false;
  start(hours(0));
  for (int hour = 0; hour < 5; ++hour) pass(hours(1));
  EXPECT_EQ(told("problem"), "");
  clock_.advance(days(61));
  // A question that was on its way still counts as one of before.
  for (int tries = 0; changes_ == 0 && tries < 400; ++tries) {
    loop_clock_.advance(hours(1));
    loop_.run_until([&] { return changes_ > 0; }, std::chrono::milliseconds{50});
  }
  ASSERT_EQ(changes_, 1);
  EXPECT_EQ(told("problem"), "no network");
  EXPECT_EQ(attempts_, 0);
}

}  // namespace
}  // namespace andon::edge
