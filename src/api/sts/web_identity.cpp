// SPDX-License-Identifier: Apache-2.0
#include "api/sts/web_identity.hpp"

#include <algorithm>
#include <optional>

#include "api/sts/session.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "policy/decision/decision.hpp"

namespace andon::api {
namespace {

using base::Error;
using control::EntityKind;
using control::OidcProvider;
namespace json = base::json;

constexpr std::string_view kAction = "sts:AssumeRoleWithWebIdentity";
// How far the provider's clock may be from this machine's.
constexpr std::chrono::seconds kSkew{60};
constexpr std::int64_t kLatest = 253'402'300'799;  // the last second of the year 9999

ServiceError invalid(const std::string& why) {
  return {400, "InvalidIdentityToken", why};
}

std::string text_claim(const trust::Jwt& token, std::string_view name) {
  const auto* value = token.claims.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<base::Timestamp> time_claim(const trust::Jwt& token, std::string_view name) {
  const auto* value = token.claims.if_contains(name);
  if (value == nullptr) return std::nullopt;
  double seconds = -1;
  if (value->is_int64()) seconds = static_cast<double>(value->get_int64());
  if (value->is_uint64()) seconds = static_cast<double>(value->get_uint64());
  if (value->is_double()) seconds = value->get_double();
  if (!(seconds >= 0 && seconds <= static_cast<double>(kLatest))) {
    throw invalid("the token's '" + std::string(name) + "' is no time");
  }
  return base::from_epoch_millis(static_cast<std::int64_t>(seconds) * 1000);
}

void check_times(const trust::Jwt& token, base::Timestamp now) {
  const auto expires = time_claim(token, "exp");
  if (!expires) throw invalid("the token has no 'exp'");
  if (*expires + kSkew <= now) {
    throw ServiceError(400, "ExpiredTokenException",
                       "Token expired: current date/time " + base::to_iso8601(now) +
                           " must be before the expiration date/time " +
                           base::to_iso8601(*expires));
  }
  const auto not_before = time_claim(token, "nbf");
  if (not_before && *not_before > now + kSkew) throw invalid("the token is not valid yet ('nbf')");
  const auto issued = time_claim(token, "iat");
  if (!issued) throw invalid("the token has no 'iat'");
  if (*issued > now + kSkew) throw invalid("the token was issued in the future ('iat')");
}

// Who the token is for: "azp" where there is one, as AWS has it, else "aud".
std::vector<std::string> audiences_of(const trust::Jwt& token) {
  if (std::string party = text_claim(token, "azp"); !party.empty()) return {party};
  const auto* audience = token.claims.if_contains("aud");
  std::vector<std::string> all;
  if (audience != nullptr && audience->is_string()) all.emplace_back(audience->get_string());
  if (audience != nullptr && audience->is_array()) {
    for (const json::value& one : audience->get_array()) {
      if (one.is_string()) all.emplace_back(one.get_string());
    }
  }
  return all;
}

struct Verified {
  OidcProvider provider;
  std::string subject;
  std::string audience;
};

Verified verify(const control::Iam& iam, KeySets& keys, base::Timestamp now,
                const std::string& text) {
  trust::Jwt token;
  try {
    token = trust::read_jwt(text);
  } catch (const Error& error) {
    throw invalid("The ID Token provided is not a valid JWT: " + error.message());
  }
  const std::string issuer = text_claim(token, "iss");
  const auto provider = iam.oidc.find_issuer(issuer);
  if (!provider) {
    throw invalid("No OpenIDConnect provider found in your account for " + issuer.substr(0, 255));
  }
  std::vector<trust::Jwk> candidates;
  try {
    candidates = keys.keys_of(issuer, token.key_id);
  } catch (const Error& error) {
    throw ServiceError(400, "IDPCommunicationError", error.message());
  }
  const bool is_signed = std::ranges::any_of(
      candidates, [&](const trust::Jwk& key) { return trust::is_signed_by(token, key); });
  if (!is_signed) {
    throw invalid(candidates.empty()
                      ? "Couldn't retrieve verification key from your identity provider"
                      : "the token's signature is not one of its provider's keys");
  }
  check_times(token, now);
  const std::string subject = text_claim(token, "sub");
  if (subject.empty() || subject.size() > 255) throw invalid("the token has no 'sub'");
  for (const std::string& audience : audiences_of(token)) {
    if (std::ranges::find(provider->clients, audience) != provider->clients.end()) {
      return {.provider = *provider, .subject = subject, .audience = audience};
    }
  }
  throw invalid("Incorrect token audience");
}

void authorize(const control::Iam& iam, const OperationContext& context, const Verified& who,
               const std::optional<control::Entity>& role, const std::string& role_arn,
               base::Timestamp now) {
  const ServiceError refused(403, "AccessDenied",
                             "Not authorized to perform " + std::string(kAction));
  if (!role) throw refused;
  policy::Context keys;
  const std::string issuer = who.provider.issuer();
  keys.set(issuer + ":aud", who.audience);
  keys.set(issuer + ":sub", who.subject);
  keys.set("aws:federatedprovider", who.provider.arn);
  keys.set("aws:currenttime", base::to_iso8601(now));
  keys.set("aws:securetransport", context.caller.is_secure ? "true" : "false");
  if (!context.caller.source_ip.empty()) keys.set("aws:sourceip", context.caller.source_ip);
  keys.set("sts:rolesessionname", text_or_empty(context.input, "RoleSessionName"));
  const auto decision =
      policy::decide(policy::Document::parse(role->trust, policy::DocumentKind::trust),
                     {.kind = policy::Asker::Kind::federated,
                      .arn = who.provider.arn,
                      .role_arn = {},
                      .account = iam.entities.account()},
                     {.action = kAction, .resource = role_arn, .context = keys});
  if (decision.verdict != policy::Verdict::allowed) throw refused;
}

json::value assume(control::Iam& iam, KeySets& keys, const base::Clock& clock,
                   const OperationContext& context) {
  const std::string role_arn = required_text(context.input, "RoleArn");
  const std::string session = read_session_name(context.input);
  const base::Timestamp now = clock.now();
  const Verified who = verify(iam, keys, now, required_text(context.input, "WebIdentityToken"));
  const auto role = iam.entities.find_by_arn(EntityKind::role, role_arn);
  authorize(iam, context, who, role, role_arn, now);
  json::object output =
      begin_session(iam, context.input, *role, session, role->longest_session.count());
  output["SubjectFromWebIdentityToken"] = who.subject;
  output["Provider"] = who.provider.arn;
  output["Audience"] = who.audience;
  return output;
}

}  // namespace

Operation web_identity_operation(control::Iam& iam, KeySets& keys, const base::Clock& clock) {
  Operation row{"sts",
                "AssumeRoleWithWebIdentity",
                Protocol::query,
                "",
                "",
                200,
                [&iam, &keys, &clock](const OperationContext& context) -> json::value {
                  return assume(iam, keys, clock, context);
                }};
  row.is_unsigned = true;
  return row;
}

}  // namespace andon::api
