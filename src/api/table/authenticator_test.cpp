// SPDX-License-Identifier: Apache-2.0
#include "api/table/authenticator.hpp"

#include "api/testing/signed_request.hpp"

namespace andon::api {
namespace {

class AuthenticatorTest : public ApiTest {
 protected:
  [[nodiscard]] std::optional<AuthenticationProblem> problem_of(
      const wire::HttpRequest& request) const {
    try {
      (void)authenticator.authenticate(request);
    } catch (const AuthenticationError& error) {
      return error.problem();
    }
    return std::nullopt;
  }
};

TEST_F(AuthenticatorTest, KnowsWhoSigned) {
  const Identity identity =
      authenticator.authenticate(signed_request({.service = "iot"}, operator_key, clock.now()));
  EXPECT_EQ(identity.caller.principal, "operator");
  EXPECT_EQ(identity.caller.access_key_id, operator_key.id);
  EXPECT_EQ(identity.caller.region, "us-east-1");
  EXPECT_EQ(identity.claim.scope.service, "iot");
}

TEST_F(AuthenticatorTest, SaysWhyItRefuses) {
  EXPECT_EQ(problem_of(received({}, {{"Host", "h"}})), AuthenticationProblem::missing);
  EXPECT_EQ(problem_of(received({}, {{"Host", "h"}, {"Authorization", "AWS4-HMAC-SHA256 x"}})),
            AuthenticationProblem::malformed);
  EXPECT_EQ(problem_of(received({}, {{"Host", "h"}, {"Authorization", "AWS a:b"}})),
            AuthenticationProblem::malformed);
  EXPECT_EQ(problem_of(received({.target = "/b/k?AWSAccessKeyId=a&Signature=b&Expires=1"},
                                {{"Host", "h"}})),
            AuthenticationProblem::malformed);
  control::AccessKey other = operator_key;
  other.secret = "wrong";
  EXPECT_EQ(problem_of(signed_request({}, other, clock.now())),
            AuthenticationProblem::wrong_signature);
  other.id = "AKIAUNKNOWN";
  EXPECT_EQ(problem_of(signed_request({}, other, clock.now())), AuthenticationProblem::unknown_key);
  EXPECT_EQ(problem_of(signed_request({}, operator_key, clock.now() + std::chrono::minutes(16))),
            AuthenticationProblem::clock_skew);
  keys.disable(operator_key.id);
  EXPECT_EQ(problem_of(signed_request({}, operator_key, clock.now())),
            AuthenticationProblem::unknown_key);
}

TEST_F(AuthenticatorTest, ChecksTokenAndEndOfTemporaryCredentials) {
  control::AccessKey key = keys.create_temporary("thing/line-1", std::chrono::hours(1));
  EXPECT_EQ(problem_of(signed_request({}, key, clock.now())), std::nullopt);
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(problem_of(signed_request({}, key, clock.now())), AuthenticationProblem::expired_key);
  key.session_token = "other";
  EXPECT_EQ(problem_of(signed_request({}, key, clock.now())), AuthenticationProblem::wrong_token);
  key.session_token.clear();
  EXPECT_EQ(problem_of(signed_request({}, key, clock.now())), AuthenticationProblem::wrong_token);
}

TEST_F(AuthenticatorTest, ComparesTheBodyWithWhatWasSigned) {
  const auto check = [&](const RequestForTest& request, const std::string& body) {
    const Identity identity =
        authenticator.authenticate(signed_request(request, operator_key, clock.now()));
    check_payload(identity, wire::Body(body));
  };
  EXPECT_NO_THROW(check({.body = "a"}, "a"));
  EXPECT_THROW(check({.body = "a"}, "b"), AuthenticationError);
  EXPECT_THROW(check({.body = "a", .payload_sha256 = "UNSIGNED-PAYLOAD"}, "a"),
               AuthenticationError);
}

}  // namespace
}  // namespace andon::api
