// SPDX-License-Identifier: Apache-2.0
#include "fleet/provisioning/enrolment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kFingerprint(64, 'a');

TEST(EnrolmentToken, WhatTheOperatorCopiesIsReadBack) {
  const std::string text = to_text(EnrolmentToken{"https://h:8443/", kFingerprint, "s3cret"});
  const EnrolmentToken read = parse_enrolment_token(text + " \n");
  EXPECT_EQ(read.url, "https://h:8443");
  EXPECT_EQ(read.ca_fingerprint, kFingerprint);
  EXPECT_EQ(read.secret, "s3cret");
}

TEST(EnrolmentToken, OneThatCannotBeUsedSaysWhyWithoutTheSecret) {
  const std::string whole = to_text(EnrolmentToken{"https://h:8443", kFingerprint, "s3cret"});
  struct Case {
    std::string text;
    const char* problem;
  };
  for (const Case& one :
       {Case{"", "andon1."}, Case{"andon2.x", "andon1."}, Case{whole.substr(0, 40), "not whole"},
        Case{"andon1." + std::string(20'000, 'a'), "longer"},
        Case{to_text(EnrolmentToken{"http://h", kFingerprint, "s3cret"}), "https"},
        Case{to_text(EnrolmentToken{"https://h", "ab", "s3cret"}), "CA"}}) {
    try {
      (void)parse_enrolment_token(one.text);
      ADD_FAILURE() << one.problem;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), HasSubstr(one.problem));
      EXPECT_THAT(error.message(), Not(HasSubstr("s3cret")));
    }
  }
}

TEST(Enrolment, RequestAndAnswerAreReadBack) {
  const EnrolmentRequest request = read_enrolment_request(to_json(EnrolmentRequest{"s", "csr"}));
  EXPECT_EQ(request.secret, "s");
  EXPECT_EQ(request.csr_pem, "csr");
  const EnrolmentAnswer answer{"dev1", "cert", "ca", {"h", 8883}, {"::1", 8443}, "eu-1"};
  const EnrolmentAnswer read = read_enrolment_answer(to_json(answer));
  EXPECT_EQ(to_json(read), to_json(answer));
  EXPECT_EQ(read.mqtt, answer.mqtt);
  EXPECT_EQ(read.data_plane.https_url(), "https://[::1]:8443");
  EXPECT_EQ(read.mqtt.https_url(), "https://h:8883");
}

TEST(Renewal, RequestAndAnswerAreReadBack) {
  const RenewalRequest request = read_renewal_request(to_json(RenewalRequest{"cert", "csr"}));
  EXPECT_EQ(request.certificate_pem, "cert");
  EXPECT_EQ(request.csr_pem, "csr");
  EXPECT_EQ(read_renewal_request(to_json(RenewalRequest{"", "csr"})).certificate_pem, "");
  EXPECT_THROW((void)read_renewal_request({{"certificatePem", "cert"}}), base::Error);
  EXPECT_EQ(read_renewal_answer(to_json(RenewalAnswer{"new"})).certificate_pem, "new");
  EXPECT_THROW((void)read_renewal_answer(json::array{}), base::Error);
}

TEST(Enrolment, AnAnswerWithANameThatFitsNoPathOrAPortThatIsNoneIsRefused) {
  const json::object good =
      to_json(EnrolmentAnswer{"dev1", "cert", "ca", {"h", 8883}, {"h", 8443}, "eu-1"});
  for (const auto& [member, value] :
       {std::pair<const char*, json::value>{"thingName", "../x"},
        std::pair<const char*, json::value>{"mqtt", {{"host", "h"}, {"port", 70000}}},
        std::pair<const char*, json::value>{"dataPlane", {{"host", ""}, {"port", 1}}}}) {
    json::object bad = good;
    bad[member] = value;
    EXPECT_THROW((void)read_enrolment_answer(bad), base::Error) << member;
  }
}

}  // namespace
}  // namespace andon::fleet
