// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4: signing and verifying, in headers and in presigned URLs. Pure.
// Source: AWS, "Signature Version 4 signing process"; S3's own rules (path not normalised nor
// encoded twice, UNSIGNED-PAYLOAD, STREAMING-...) are applied for service "s3".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "trust/digests/digest.hpp"
#include "wire/http/http.hpp"

namespace andon::wire {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty for long-lived keys
};

struct SigningScope {
  std::string region;
  std::string service;
};

// Adds Host, X-Amz-Date, X-Amz-Content-Sha256, X-Amz-Security-Token and Authorization.
struct UnsignedRequest {
  std::string method;
  std::string host;    // with the port where it is not the scheme's own
  std::string target;  // encoded path and query
  Headers headers;
  std::string payload_sha256;  // lower-case hex, or "UNSIGNED-PAYLOAD"
};
[[nodiscard]] Headers sign(const UnsignedRequest& request, const Credentials& credentials,
                           const SigningScope& scope, base::Timestamp now);
// The target (path and query) with the signature in its query; expires after `lifetime`, which is
// one second to seven days (else invalid_argument).
[[nodiscard]] std::string presign(std::string_view method, std::string_view host,
                                  std::string_view target, const Credentials& credentials,
                                  const SigningScope& scope, base::Timestamp now,
                                  std::chrono::seconds lifetime);

// What a received request claims, read before its key is looked up.
struct SignatureClaim {
  std::string access_key_id;
  SigningScope scope;
  std::string date;  // yyyymmdd of the scope
  base::Timestamp signed_at;
  std::vector<std::string> signed_headers;
  std::string signature;
  // As claimed; may be UNSIGNED-PAYLOAD or STREAMING-... Where the request does not say (services
  // other than S3), the digest of the body that came.
  std::string payload_sha256;
  std::string session_token;
  std::optional<std::chrono::seconds> lifetime;  // set for a presigned URL
};

// Nothing where the request carries no signature at all; throws unauthenticated with what is
// malformed otherwise, or with the header that should have been signed: Host and all of X-Amz-*.
[[nodiscard]] std::optional<SignatureClaim> read_claim(const HttpRequest& request);

enum class SignatureVerdict { valid, wrong_signature, expired, clock_skew };
// Compares in constant time. Does not look at the payload: the caller compares its digest with
// claim.payload_sha256.
[[nodiscard]] SignatureVerdict verify(const HttpRequest& request, const SignatureClaim& claim,
                                      std::string_view secret_access_key, base::Timestamp now);

// The key that signs for one day, region and service.
[[nodiscard]] trust::Sha256 derive_signing_key(std::string_view secret_access_key,
                                               std::string_view date, const SigningScope& scope);
// "20261122/local/s3/aws4_request".
[[nodiscard]] std::string scope_text(std::string_view date, const SigningScope& scope);

[[nodiscard]] std::string body_sha256_hex(const Body& body);

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

}  // namespace andon::wire
