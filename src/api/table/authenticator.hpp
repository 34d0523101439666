// SPDX-License-Identifier: Apache-2.0
// Finds out who signed a request (SigV4 in the Authorization header or in a presigned URL) and
// whether the payload is the one that was signed. Each protocol words a refusal in its own way, so
// it is an AuthenticationError with a reason that they translate. Any thread.
#pragma once

#include <functional>
#include <string>

#include "api/table/operation.hpp"
#include "base/time/time.hpp"
#include "control/identity/access_keys.hpp"
#include "wire/aws/sigv4.hpp"
#include "wire/http/http.hpp"

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

// The fields of a form that sign it.
struct FormSignature {
  std::string algorithm;   // empty: of version 2, which has a key and a signature only
  std::string credential;  // key/date/region/s3/aws4_request; of version 2, the key
  std::string date;        // 20261122T100000Z
  std::string signature;
  std::string session_token;
  std::string policy;  // as it was sent: base64
};

struct Identity {
  Caller caller;
  wire::SignatureClaim claim;
  std::string secret_access_key;  // the signature of a chunked body is verified with it
};

class Authenticator {
 public:
  // `may_act` is asked at each request whether who was given a good key may still act: a
  // device's temporary key outlives the certificate that it was given for. Empty: everybody may.
  Authenticator(const control::AccessKeys& keys, const base::Clock& clock,
                std::string account_id = "000000000000",
                std::function<bool(const control::AccessKey&)> may_act = {});

  // Throws AuthenticationError. Does not look at the body.
  [[nodiscard]] Identity authenticate(const wire::HttpRequest& request) const;
  // The same as far as a request's head tells it. Clients of services other than S3 do not name the
  // body's digest in the head (botocore), though they sign it: of theirs the key must be good, and
  // the signature is seen once the body is there.
  void authenticate_head(const wire::HttpRequest& head) const;
  // Who sends a request without any signature.
  [[nodiscard]] Identity anonymous(const wire::HttpRequest& request) const;
  // The same for a form (presigned POST): what is signed is the text of its policy.
  [[nodiscard]] Identity authenticate_form(const wire::HttpRequest& request,
                                           const FormSignature& form) const;
  // The same for a URL that is_presigned_v2(); `resource` as in s3_presigned_v2.hpp.
  [[nodiscard]] Identity authenticate_presigned_v2(const wire::HttpRequest& request,
                                                   const std::string& resource) const;

 private:
  [[nodiscard]] control::AccessKey require_key(const std::string& id) const;

  const control::AccessKeys& keys_;
  const base::Clock& clock_;
  std::string account_id_;
  std::function<bool(const control::AccessKey&)> may_act_;
};

// Who asks without a signature: no principal, but where the request came from.
[[nodiscard]] Caller caller_of_nobody(const wire::HttpRequest& request);

// Throws AuthenticationError(wrong_payload) unless the body is the one whose digest was signed.
void check_payload(const Identity& identity, const wire::Body& body);

}  // namespace andon::api
