// SPDX-License-Identifier: Apache-2.0
#include "api/sts/session.hpp"

#include <algorithm>
#include <chrono>

#include "api/table/members.hpp"
#include "api/table/operation.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "policy/language/document.hpp"

namespace andon::api {

using base::Error;
using base::ErrorCode;

std::string read_session_name(const json::object& input) {
  constexpr std::size_t kMostName = 64;
  std::string session = required_text(input, "RoleSessionName");
  if (session.size() < 2 || session.size() > kMostName || !base::is_name_of(session, "_+=,.@-")) {
    throw Error(ErrorCode::invalid_argument,
                "RoleSessionName: must have 2 to 64 letters, digits and characters of _+=,.@-");
  }
  return session;
}

std::chrono::seconds read_duration(const json::object& input, std::int64_t standard,
                                   std::int64_t most) {
  constexpr std::int64_t kShortest = 900;
  const base::JsonReader reader(input, "",
                                {.texts = base::JsonReading::Texts::as_values, .separator = ": "});
  return std::chrono::seconds(
      reader.optional_integer("DurationSeconds", kShortest, most).value_or(standard));
}

json::object credentials_of(const control::AccessKey& key) {
  return {{"AccessKeyId", key.id},
          {"SecretAccessKey", key.secret},
          {"SessionToken", key.session_token},
          {"Expiration", base::to_iso8601(key.expires.value())}};
}

json::object begin_session(control::Iam& iam, const json::object& input,
                           const control::Entity& role, const std::string& session,
                           std::int64_t longest) {
  constexpr std::int64_t kHour = 3600;
  const auto lifetime = read_duration(input, std::min(kHour, longest), longest);
  const std::string session_policy = text_or_empty(input, "Policy");
  if (!session_policy.empty()) {
    try {
      (void)policy::Document::parse(session_policy, policy::DocumentKind::identity);
    } catch (const Error& error) {
      throw ServiceError(400, "MalformedPolicyDocument", error.message());
    }
  }
  const auto key = iam.keys.create_session(
      std::string(control::Principals::kRolePrefix) + role.id + "/" + session, lifetime,
      session_policy);
  const auto made = iam.principals.find(key.principal);
  if (!made) throw ServiceError(403, "AccessDenied", "the role was deleted meanwhile");
  json::object output{
      {"Credentials", credentials_of(key)},
      {"AssumedRoleUser", json::object{{"AssumedRoleId", made->user_id}, {"Arn", made->arn}}}};
  if (!session_policy.empty()) {
    constexpr std::size_t kPercent = 100;
    output["PackedPolicySize"] = session_policy.size() * kPercent / policy::kMostBytes;
  }
  return output;
}

}  // namespace andon::api
