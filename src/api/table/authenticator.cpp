// SPDX-License-Identifier: Apache-2.0
#include "api/table/authenticator.hpp"

#include "api/table/presigned_v2.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"
#include "trust/digests/digest.hpp"

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

void add_origin(Caller& caller, const wire::HttpRequest& request) {
  // "127.0.0.1:50100", "[::1]:50100".
  const std::string_view peer = request.peer_address;
  caller.source_ip = base::trim(peer.substr(0, peer.rfind(':')), "[]");
  caller.user_agent = request.headers.find("User-Agent").value_or("");
  caller.is_secure = request.is_tls;
}

Caller caller_of(const control::AccessKey& key, const std::string& account_id,
                 const std::string& region, const wire::HttpRequest& request) {
  Caller caller{.access_key_id = key.id,
                .principal = key.principal,
                .account_id = account_id,
                .region = region,
                .session_policy = key.session_policy};
  caller.certificate = key.certificate;
  if (key.expires) caller.token_issued = key.created;
  add_origin(caller, request);
  return caller;
}

void check_form_signature(const std::string& expected, const FormSignature& form) {
  if (trust::equal_in_constant_time(expected, form.signature)) return;
  throw AuthenticationError(Problem::wrong_signature,
                            "the signature of the form does not match its policy");
}

Identity form_identity(const control::AccessKey& key, Caller caller) {
  return {.caller = std::move(caller),
          .claim = {.access_key_id = key.id, .payload_sha256 = std::string(wire::kUnsignedPayload)},
          .secret_access_key = key.secret};
}

bool is_hex_digest(const std::string& text) {
  return text != wire::kUnsignedPayload && !text.starts_with("STREAMING-");
}

}  // namespace

Authenticator::Authenticator(const control::AccessKeys& keys, const base::Clock& clock,
                             std::string account_id,
                             std::function<bool(const control::AccessKey&)> may_act)
    : keys_(keys),
      clock_(clock),
      account_id_(std::move(account_id)),
      may_act_(std::move(may_act)) {}

control::AccessKey Authenticator::require_key(const std::string& id) const {
  auto key = keys_.find(id);
  if (!key || key->is_disabled) {
    throw AuthenticationError(Problem::unknown_key, "there is no access key '" + id.substr(0, 128) +
                                                        "', or it is disabled");
  }
  if (may_act_ && !may_act_(*key)) {
    throw AuthenticationError(Problem::unknown_key,
                              "access key '" + id + "' was given to " + key->principal +
                                  " for a certificate that is not good any more");
  }
  return *std::move(key);
}

Identity Authenticator::authenticate(const wire::HttpRequest& request) const {
  wire::SignatureClaim claim = require_claim(request);
  const control::AccessKey key = require_key(claim.access_key_id);
  const base::Timestamp now = clock_.now();
  check_verdict(wire::verify(request, claim, key.secret, now), claim, now);
  check_session(key, claim.session_token, now);
  Caller caller = caller_of(key, account_id_, claim.scope.region, request);
  return {.caller = std::move(caller), .claim = std::move(claim), .secret_access_key = key.secret};
}

void Authenticator::authenticate_head(const wire::HttpRequest& head) const {
  if (head.headers.find("X-Amz-Content-Sha256")) {
    (void)authenticate(head);
    return;
  }
  const wire::SignatureClaim claim = require_claim(head);
  check_session(require_key(claim.access_key_id), claim.session_token, clock_.now());
}

Identity Authenticator::anonymous(const wire::HttpRequest& request) const {
  const std::string_view digest = request.headers.find("X-Amz-Content-Sha256").value_or("");
  wire::SignatureClaim claim;
  claim.payload_sha256 = digest.empty() ? wire::kUnsignedPayload : digest;
  if (claim.payload_sha256.starts_with("STREAMING-AWS4-")) {
    throw AuthenticationError(Problem::missing, "the chunks are signed, but not the request");
  }
  return {.caller = caller_of({.id = {}, .principal = std::string(kAnonymousPrincipal)},
                              account_id_, {}, request),
          .claim = std::move(claim),
          .secret_access_key = {}};
}

Identity Authenticator::authenticate_form(const wire::HttpRequest& request,
                                          const FormSignature& form) const {
  constexpr std::size_t kPieces = 5;
  constexpr std::size_t kDateSize = 8;
  const auto pieces = base::split(form.credential, '/');
  if (form.algorithm.empty()) {
    const control::AccessKey key = require_key(form.credential);
    const trust::Sha1 digest = trust::hmac_sha1(key.secret, form.policy);
    check_form_signature(
        base::to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()}), form);
    check_session(key, form.session_token, clock_.now());
    return form_identity(key, caller_of(key, account_id_, {}, request));
  }
  const bool is_readable = form.algorithm == "AWS4-HMAC-SHA256" && pieces.size() == kPieces &&
                           pieces[3] == "s3" && pieces[4] == "aws4_request" &&
                           form.date.substr(0, kDateSize) == pieces[1];
  if (!is_readable) {
    throw AuthenticationError(
        Problem::malformed,
        "the form's x-amz-algorithm, x-amz-credential or x-amz-date cannot be read");
  }
  const control::AccessKey key = require_key(std::string(pieces[0]));
  const wire::SigningScope scope{.region = std::string(pieces[2]), .service = "s3"};
  const trust::Sha256 signing_key = wire::derive_signing_key(key.secret, pieces[1], scope);
  const std::string expected = base::to_hex(trust::hmac_sha256(
      {reinterpret_cast<const char*>(signing_key.data()), signing_key.size()}, form.policy));
  check_form_signature(expected, form);
  check_session(key, form.session_token, clock_.now());
  return form_identity(key, caller_of(key, account_id_, scope.region, request));
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
  return {.caller = caller_of(key, account_id_, {}, request),
          .claim = {.access_key_id = key.id, .payload_sha256 = std::string(wire::kUnsignedPayload)},
          .secret_access_key = key.secret};
}

Caller caller_of_nobody(const wire::HttpRequest& request) {
  Caller caller;
  add_origin(caller, request);
  return caller;
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
