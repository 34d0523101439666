// SPDX-License-Identifier: Apache-2.0
// Finds out who signed a request (SigV4 in the Authorization header or in a presigned URL) and
// whether the payload is the one that was signed. Each protocol words a refusal in its own way, so
// it is an AuthenticationError with a reason that they translate. Any thread.
#pragma once

#include <string>

#include "api/operation.hpp"
#include "base/time.hpp"
#include "control/access_keys.hpp"
#include "wire/http.hpp"
#include "wire/sigv4.hpp"

namespace andon::api {

enum class AuthenticationProblem {
  missing,      // no signature at all
  malformed,    // a signature that cannot be read, or of another version
  unknown_key,  // no such access key, or it is disabled
  wrong_token,  // the session token is not the one of these temporary credentials
  expired_key,  // temporary credentials past their time
  wrong_signature,
  clock_skew,     // signed more than 15 minutes away from this machine's clock
  expired_url,    // a presigned URL past its time
  wrong_payload,  // the body is not the one that was signed
};

class AuthenticationError final : public std::exception {
 public:
  AuthenticationError(AuthenticationProblem problem, std::string message)
      : problem_(problem), message_(std::move(message)) {}
  [[nodiscard]] AuthenticationProblem problem() const { return problem_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  AuthenticationProblem problem_;
  std::string message_;
};

struct Identity {
  Caller caller;
  wire::SignatureClaim claim;
  std::string secret_access_key;  // the signature of a chunked body is verified with it
};

class Authenticator {
 public:
  Authenticator(const control::AccessKeys& keys, const base::Clock& clock,
                std::string account_id = "000000000000");

  // Throws AuthenticationError. Does not look at the body.
  [[nodiscard]] Identity authenticate(const wire::HttpRequest& request) const;
  // The same for a URL that is_presigned_v2(); `resource` as in s3_presigned_v2.hpp.
  [[nodiscard]] Identity authenticate_presigned_v2(const wire::HttpRequest& request,
                                                   const std::string& resource) const;

 private:
  [[nodiscard]] control::AccessKey require_key(const std::string& id) const;

  const control::AccessKeys& keys_;
  const base::Clock& clock_;
  std::string account_id_;
};

// Throws AuthenticationError(wrong_payload) unless the body is the one whose digest was signed.
void check_payload(const Identity& identity, const wire::Body& body);

}  // namespace andon::api
