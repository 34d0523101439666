// SPDX-License-Identifier: Apache-2.0
// Reads the signature that a request carries, in its Authorization header or in its query.
#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "wire/aws/sigv4.hpp"
#include "wire/aws/sigv4_canonical.hpp"

namespace andon::wire {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr int kLongestLifetimeSeconds = 7 * 24 * 3600;
constexpr std::size_t kMostSignedHeaders = 100;

[[noreturn]] void refuse(const std::string& problem) {
  throw base::Error(base::ErrorCode::unauthenticated,
                    "the request's signature cannot be read: " + problem);
}

bool is_digest(std::string_view text) {
  return base::is_hex_of(text, 32);
}

void read_credential(SignatureClaim& claim, std::string_view credential) {
  const auto parts = base::split(credential, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request" ||
      std::ranges::any_of(parts, [](std::string_view part) { return part.empty(); })) {
    refuse("Credential must be KEY/DATE/REGION/SERVICE/aws4_request");
  }
  claim.access_key_id = parts[0];
  claim.date = parts[1];
  claim.scope = {std::string(parts[2]), std::string(parts[3])};
}

void read_date(SignatureClaim& claim, std::optional<std::string_view> amz_date) {
  if (!amz_date) refuse("X-Amz-Date is missing");
  const auto time = base::parse_iso8601(*amz_date);
  if (!time || base::to_amz_date(*time) != *amz_date) {
    refuse("X-Amz-Date must have the form 20261122T100000Z");
  }
  if (amz_date->substr(0, 8) != claim.date) refuse("Credential and X-Amz-Date differ in the date");
  claim.signed_at = *time;
}

void read_signature(SignatureClaim& claim, std::string_view signature) {
  if (!is_digest(signature)) refuse("Signature must be 64 lower-case hex digits");
  claim.signature = signature;
}

void read_signed_headers(SignatureClaim& claim, std::string_view list, const Headers& headers) {
  const auto names = base::split(list, ';');
  claim.signed_headers.assign(names.begin(), names.end());
  if (claim.signed_headers.size() > kMostSignedHeaders) refuse("too many SignedHeaders");
  for (const std::string& name : claim.signed_headers) {
    if (base::to_lower(name) != name) refuse("SignedHeaders must be in lower case");
    if (!headers.find(name)) refuse("the signed header '" + name + "' is not in the request");
  }
  if (!std::ranges::is_sorted(claim.signed_headers)) refuse("SignedHeaders must be sorted");
  const auto is_signed = [&](std::string_view name) {
    return std::ranges::find(claim.signed_headers, name) != claim.signed_headers.end();
  };
  if (!is_signed("host")) refuse("the header 'host' must be signed");
  for (const auto& [name, value] : headers.fields()) {
    const std::string lower = base::to_lower(name);
    if (lower.starts_with("x-amz-") && !is_signed(lower)) {
      refuse("the header '" + lower + "' must be signed");
    }
  }
}

void read_payload(SignatureClaim& claim, const HttpRequest& request) {
  const auto claimed = request.headers.find("X-Amz-Content-Sha256");
  if (claimed) {
    if (!is_digest(*claimed) && *claimed != kUnsignedPayload &&
        !claimed->starts_with("STREAMING-")) {
      refuse(
          "X-Amz-Content-Sha256 must be a SHA-256 in lower-case hex, UNSIGNED-PAYLOAD or a "
          "STREAMING form");
    }
    claim.payload_sha256 = *claimed;
  } else if (claim.scope.service != "s3") {
    claim.payload_sha256 = body_sha256_hex(request.body);
  } else if (claim.lifetime) {
    claim.payload_sha256 = kUnsignedPayload;
  } else {
    refuse("X-Amz-Content-Sha256 is missing");
  }
}

SignatureClaim read_header(std::string_view authorization, const HttpRequest& request) {
  const std::size_t space = authorization.find(' ');
  if (authorization.substr(0, space) != kAlgorithm || space == std::string_view::npos) {
    refuse("only the scheme " + std::string(kAlgorithm) + " is understood");
  }
  std::optional<std::string> credential;
  std::optional<std::string> signed_headers;
  std::optional<std::string> signature;
  for (const std::string_view item : base::split(authorization.substr(space + 1), ',')) {
    const std::string_view part = base::trim(item);
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    auto* field = name == "Credential"      ? &credential
                  : name == "SignedHeaders" ? &signed_headers
                  : name == "Signature"     ? &signature
                                            : nullptr;
    if (field == nullptr || equals == std::string_view::npos || *field) {
      refuse("Authorization must hold Credential, SignedHeaders and Signature, each once");
    }
    *field = std::string(part.substr(equals + 1));
  }
  if (!credential || !signed_headers || !signature) {
    refuse("Authorization must hold Credential, SignedHeaders and Signature");
  }
  SignatureClaim claim;
  read_credential(claim, *credential);
  read_date(claim, request.headers.find("X-Amz-Date"));
  read_signature(claim, *signature);
  read_signed_headers(claim, *signed_headers, request.headers);
  claim.session_token = request.headers.find("X-Amz-Security-Token").value_or("");
  read_payload(claim, request);
  return claim;
}

std::string query_field(const HttpRequest& request, std::string_view name) {
  auto value = request.query_value(name);
  if (!value) refuse(std::string(name) + " is missing from the query");
  return *std::move(value);
}

SignatureClaim read_query(const HttpRequest& request) {
  if (query_field(request, "X-Amz-Algorithm") != kAlgorithm) {
    refuse("only X-Amz-Algorithm=" + std::string(kAlgorithm) + " is understood");
  }
  SignatureClaim claim;
  read_credential(claim, query_field(request, "X-Amz-Credential"));
  read_date(claim, query_field(request, "X-Amz-Date"));
  const std::string expires = query_field(request, "X-Amz-Expires");
  const auto seconds = base::parse_integer<int>(expires, 1, kLongestLifetimeSeconds);
  if (!seconds) {
    refuse("X-Amz-Expires must be 1 to 604800 seconds");
  }
  claim.lifetime = std::chrono::seconds(*seconds);
  read_signature(claim, query_field(request, "X-Amz-Signature"));
  read_signed_headers(claim, query_field(request, "X-Amz-SignedHeaders"), request.headers);
  claim.session_token = request.query_value("X-Amz-Security-Token").value_or("");
  read_payload(claim, request);
  return claim;
}

}  // namespace

std::optional<SignatureClaim> read_claim(const HttpRequest& request) {
  const auto authorization = request.headers.find("Authorization");
  const bool in_header = authorization && authorization->starts_with("AWS");
  const bool in_query =
      request.query_value("X-Amz-Algorithm") || request.query_value("X-Amz-Signature");
  if (in_header && in_query) refuse("it is in the Authorization header and in the query");
  if (in_header) return read_header(*authorization, request);
  if (in_query) return read_query(request);
  return std::nullopt;
}

}  // namespace andon::wire
