// SPDX-License-Identifier: Apache-2.0
#include "api/authenticator.hpp"

#include "api/s3_presigned_v2.hpp"
#include "base/error.hpp"
#include "trust/digest.hpp"

namespace andon::api {
namespace {

using Problem = AuthenticationProblem;

wire::SignatureClaim require_claim(const wire::HttpRequest& request) {
  // The signature of before 2014, which some clients still make for presigned URLs.
  const auto authorization = request.headers.find("Authorization");
  if (request.query_value("AWSAccessKeyId") ||
      (authorization && authorization->starts_with("AWS "))) {
    throw AuthenticationError(
        Problem::malformed,
        "this is a Signature Version 2, which is accepted only in presigned URLs of objects. "
        "Configure the client for AWS4-HMAC-SHA256 (boto3: Config(signature_version='s3v4'))");
  }
  std::optional<wire::SignatureClaim> claim;
  try {
    claim = wire::read_claim(request);
  } catch (const base::Error& error) {
    throw AuthenticationError(Problem::malformed, error.message());
  }
  if (!claim) throw AuthenticationError(Problem::missing, "the request is not signed");
  return *std::move(claim);
}

void check_session(const control::AccessKey& key, const std::string& session_token,
                   base::Timestamp now) {
  if (!trust::equal_in_constant_time(key.session_token, session_token)) {
    throw AuthenticationError(Problem::wrong_token,
                              "the security token does not belong to this access key");
  }
  if (key.expires && *key.expires <= now) {
    throw AuthenticationError(Problem::expired_key,
                              "the credentials expired at " + base::to_iso8601(*key.expires));
  }
}

void check_verdict(wire::SignatureVerdict verdict, const wire::SignatureClaim& claim,
                   base::Timestamp now) {
  switch (verdict) {
    case wire::SignatureVerdict::valid:
      return;
    case wire::SignatureVerdict::wrong_signature:
      throw AuthenticationError(
          Problem::wrong_signature,
          "the signature does not match: check the secret access key and how the request is "
          "signed");
    case wire::SignatureVerdict::expired:
      throw AuthenticationError(Problem::expired_url, "the presigned URL has expired");
    case wire::SignatureVerdict::clock_skew:
      throw AuthenticationError(Problem::clock_skew,
                                "the request was signed at " + base::to_iso8601(claim.signed_at) +
                                    ", more than 15 minutes away from the server's time " +
                                    base::to_iso8601(now) + ": set the clock");
  }
}

bool is_hex_digest(const std::string& text) {
  return text != wire::kUnsignedPayload && !text.starts_with("STREAMING-");
}

}  // namespace

Authenticator::Authenticator(const control::AccessKeys& keys, const base::Clock& clock,
                             std::string account_id)
    : keys_(keys), clock_(clock), account_id_(std::move(account_id)) {}

control::AccessKey Authenticator::require_key(const std::string& id) const {
  auto key = keys_.find(id);
  if (!key || key->is_disabled) {
    throw AuthenticationError(Problem::unknown_key, "there is no access key '" + id.substr(0, 128) +
                                                        "', or it is disabled");
  }
  return *std::move(key);
}

Identity Authenticator::authenticate(const wire::HttpRequest& request) const {
  wire::SignatureClaim claim = require_claim(request);
  const control::AccessKey key = require_key(claim.access_key_id);
  const base::Timestamp now = clock_.now();
  check_verdict(wire::verify(request, claim, key.secret, now), claim, now);
  check_session(key, claim.session_token, now);
  return {.caller = {.access_key_id = key.id,
                     .principal = key.principal,
                     .account_id = account_id_,
                     .region = claim.scope.region},
          .claim = std::move(claim),
          .secret_access_key = key.secret};
}

Identity Authenticator::authenticate_presigned_v2(const wire::HttpRequest& request,
                                                  const std::string& resource) const {
  const PresignedV2Claim claim = read_presigned_v2(request);
  const control::AccessKey key = require_key(claim.access_key_id);
  if (!trust::equal_in_constant_time(presigned_v2_signature(request, resource, key.secret),
                                     claim.signature)) {
    throw AuthenticationError(Problem::wrong_signature, "the signature of the URL does not match");
  }
  const base::Timestamp now = clock_.now();
  if (claim.expires <= now) {
    throw AuthenticationError(Problem::expired_url, "the presigned URL has expired");
  }
  check_session(key, claim.session_token, now);
  return {.caller = {.access_key_id = key.id,
                     .principal = key.principal,
                     .account_id = account_id_,
                     .region = {}},
          .claim = {.access_key_id = key.id, .payload_sha256 = std::string(wire::kUnsignedPayload)},
          .secret_access_key = key.secret};
}

void check_payload(const Identity& identity, const wire::Body& body) {
  if (!is_hex_digest(identity.claim.payload_sha256)) {
    throw AuthenticationError(Problem::wrong_payload,
                              "the body must be signed: send its SHA-256 as "
                              "X-Amz-Content-Sha256");
  }
  if (wire::body_sha256_hex(body) != identity.claim.payload_sha256) {
    throw AuthenticationError(Problem::wrong_payload,
                              "the body is not the one that was signed: its SHA-256 differs from "
                              "X-Amz-Content-Sha256");
  }
}

}  // namespace andon::api
