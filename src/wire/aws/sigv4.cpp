// SPDX-License-Identifier: Apache-2.0
#include "wire/aws/sigv4.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"
#include "wire/aws/sigv4_canonical.hpp"

namespace andon::wire {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::chrono::minutes kClockSkew{15};
constexpr std::chrono::seconds kLongestLifetime = std::chrono::days{7};

// Fields that the HTTP client or a proxy may add or change on the way.
constexpr std::array<std::string_view, 6> kNeverSigned{
    "authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"};

std::string_view text_of(const trust::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Derived keys hold for a day and a service: a thread keeps the one that it needed last.
const trust::Sha256& signing_key(std::string_view secret_access_key, std::string_view date,
                                 const SigningScope& scope) {
  struct Last {
    std::string secret;
    std::string date;
    std::string region;
    std::string service;
    trust::Sha256 key{};
  };
  thread_local Last last;
  if (last.secret != secret_access_key || last.date != date || last.region != scope.region ||
      last.service != scope.service || last.secret.empty()) {
    last = {std::string(secret_access_key), std::string(date), scope.region, scope.service,
            derive_signing_key(secret_access_key, date, scope)};
  }
  return last.key;
}

std::string signature_of(std::string_view canonical, std::string_view secret_access_key,
                         std::string_view amz_date, const SigningScope& scope) {
  const std::string_view date = amz_date.substr(0, 8);
  std::string to_sign(kAlgorithm);
  to_sign.append("\n").append(amz_date).append("\n").append(scope_text(date, scope)).append("\n");
  to_sign.append(trust::sha256_hex(canonical));
  const trust::Sha256 key = signing_key(secret_access_key, date, scope);
  return base::to_hex(trust::hmac_sha256(text_of(key), to_sign));
}

std::string require_canonical(const CanonicalInput& input) {
  auto canonical = canonical_request(input);
  if (!canonical) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "cannot sign a request for '" + std::string(input.target) +
                          "': its target must start with '/' and be percent-encoded");
  }
  return *std::move(canonical);
}

}  // namespace

trust::Sha256 derive_signing_key(std::string_view secret_access_key, std::string_view date,
                                 const SigningScope& scope) {
  trust::Sha256 key = trust::hmac_sha256("AWS4" + std::string(secret_access_key), date);
  key = trust::hmac_sha256(text_of(key), scope.region);
  key = trust::hmac_sha256(text_of(key), scope.service);
  return trust::hmac_sha256(text_of(key), "aws4_request");
}

std::string scope_text(std::string_view date, const SigningScope& scope) {
  return std::string(date) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

std::string body_sha256_hex(const Body& body) {
  trust::Sha256Stream stream;
  std::vector<char> buffer(
      static_cast<std::size_t>(std::clamp<std::uint64_t>(body.size(), 1, 256U << 10U)));
  for (std::uint64_t offset = 0; offset < body.size();) {
    const std::size_t got = body.read_at(offset, buffer.data(), buffer.size());
    stream.update({buffer.data(), got});
    offset += got;
  }
  return base::to_hex(stream.finish());
}

Headers sign(const UnsignedRequest& request, const Credentials& credentials,
             const SigningScope& scope, base::Timestamp now) {
  const std::string amz_date = base::to_amz_date(now);
  Headers headers = request.headers;
  headers.set("Host", request.host);
  headers.set("X-Amz-Date", amz_date);
  headers.set("X-Amz-Content-Sha256", request.payload_sha256);
  if (!credentials.session_token.empty()) {
    headers.set("X-Amz-Security-Token", credentials.session_token);
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : headers.fields()) {
    std::string lower = base::to_lower(name);
    if (std::ranges::find(kNeverSigned, lower) == kNeverSigned.end()) {
      names.push_back(std::move(lower));
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::string canonical =
      require_canonical({request.method, request.target, headers, names, request.payload_sha256,
                         path_rule_of(scope.service)});
  const std::string_view date = std::string_view(amz_date).substr(0, 8);
  headers.set(
      "Authorization",
      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                  credentials.access_key_id, scope_text(date, scope), base::join(names, ";"),
                  signature_of(canonical, credentials.secret_access_key, amz_date, scope)));
  return headers;
}

std::string presign(std::string_view method, std::string_view host, std::string_view target,
                    const Credentials& credentials, const SigningScope& scope, base::Timestamp now,
                    std::chrono::seconds lifetime) {
  if (lifetime < std::chrono::seconds{1} || lifetime > kLongestLifetime) {
    throw base::Error(
        base::ErrorCode::invalid_argument,
        "a presigned URL lives for 1 to 604800 seconds, not " + std::to_string(lifetime.count()));
  }
  const std::string amz_date = base::to_amz_date(now);
  const std::string credential =
      credentials.access_key_id + "/" + scope_text(amz_date.substr(0, 8), scope);
  std::string signed_target(target);
  signed_target += target.find('?') == std::string_view::npos ? '?' : '&';
  signed_target +=
      "X-Amz-Algorithm=" + std::string(kAlgorithm) +
      "&X-Amz-Credential=" + base::percent_encode(credential) + "&X-Amz-Date=" + amz_date +
      "&X-Amz-Expires=" + std::to_string(lifetime.count()) + "&X-Amz-SignedHeaders=host";
  if (!credentials.session_token.empty()) {
    signed_target += "&X-Amz-Security-Token=" + base::percent_encode(credentials.session_token);
  }
  const std::string payload =
      scope.service == "s3" ? std::string(kUnsignedPayload) : trust::sha256_hex("");
  const Headers headers{{"host", std::string(host)}};
  const std::vector<std::string> names{"host"};
  const std::string canonical = require_canonical(
      {method, signed_target, headers, names, payload, path_rule_of(scope.service)});
  return signed_target + "&X-Amz-Signature=" +
         signature_of(canonical, credentials.secret_access_key, amz_date, scope);
}

SignatureVerdict verify(const HttpRequest& request, const SignatureClaim& claim,
                        std::string_view secret_access_key, base::Timestamp now) {
  const auto canonical =
      canonical_request({request.method, request.target, request.headers, claim.signed_headers,
                         claim.payload_sha256, path_rule_of(claim.scope.service)});
  if (!canonical) return SignatureVerdict::wrong_signature;
  const std::string expected =
      signature_of(*canonical, secret_access_key, base::to_amz_date(claim.signed_at), claim.scope);
  if (!trust::equal_in_constant_time(expected, claim.signature)) {
    return SignatureVerdict::wrong_signature;
  }
  if (claim.signed_at > now + kClockSkew) return SignatureVerdict::clock_skew;
  if (claim.lifetime) {
    return now < claim.signed_at + *claim.lifetime ? SignatureVerdict::valid
                                                   : SignatureVerdict::expired;
  }
  return now > claim.signed_at + kClockSkew ? SignatureVerdict::clock_skew
                                            : SignatureVerdict::valid;
}

}  // namespace andon::wire
