// SPDX-License-Identifier: Apache-2.0
#include "control/iotpolicy/iot_policy_rules.hpp"

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "policy/language/document.hpp"

namespace andon::control {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostDocumentBytes = 2048;
constexpr std::size_t kMostName = 128;
constexpr std::string_view kConsumer = ":consumer/";

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid_argument, why);
}

bool is_index(std::string_view text) {
  return text.size() <= 2 && !text.empty() && std::ranges::all_of(text, base::is_digit);
}

// "commonname", "organization.1"
bool is_field(std::string_view field) {
  constexpr auto kFields = std::to_array<std::string_view>(
      {"distinguishednamequalifier", "country", "organization", "organizationalunit", "state",
       "commonname", "serialnumber", "title", "surname", "givenname", "initials", "pseudonym",
       "generationqualifier"});
  const std::size_t dot = field.find('.');
  if (dot != std::string_view::npos && !is_index(field.substr(dot + 1))) return false;
  return std::ranges::find(kFields, field.substr(0, dot)) != kFields.end();
}

// Each ${key} and ${key, 'default'}.
void check_variables(std::string_view text) {
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at)) {
    at += 2;
    std::string_view inside = text.substr(at, text.find('}', at) - at);
    inside = inside.substr(0, inside.find(','));
    if (inside == "*" || inside == "?" || inside == "$" || is_iot_policy_key(inside)) continue;
    refuse("Statement: the broker knows no variable ${" + std::string(inside.substr(0, 100)) +
           "}; docs/broker.md lists those that there are");
  }
}

void check_texts(const json::value& value) {
  if (const auto* text = value.if_string()) check_variables(*text);
  if (const auto* list = value.if_array()) {
    for (const json::value& one : *list) check_texts(one);
  }
}

void check_actions(const json::value& value) {
  if (const auto* list = value.if_array()) {
    for (const json::value& one : *list) check_actions(one);
  }
  const auto* text = value.if_string();
  if (text == nullptr) return;
  const std::string action = base::to_lower(*text);
  if (action != "*" && !action.starts_with("iot:") && !action.starts_with("greengrass:")) {
    refuse("Statement: \"" + action.substr(0, 100) + "\" is no action of a device: iot:...");
  }
}

void check_conditions(const json::value& block) {
  if (!block.is_object()) return;
  for (const auto& operation : block.as_object()) {
    if (!operation.value().is_object()) continue;
    for (const auto& member : operation.value().as_object()) {
      if (!is_iot_policy_key(member.key())) {
        refuse("Condition: the broker knows no key \"" + std::string(member.key()).substr(0, 100) +
               "\"; docs/broker.md lists those that there are");
      }
      check_texts(member.value());
    }
  }
}

// The document is a good one of the language.
void check_statement(const json::value& statement) {
  for (const auto& member : statement.as_object()) {
    const std::string_view key = member.key();
    if (key == "Action" || key == "NotAction") check_actions(member.value());
    if (key == "Resource" || key == "NotResource") check_texts(member.value());
    if (key == "Condition") check_conditions(member.value());
  }
}

}  // namespace

void check_iot_policy_name(const std::string& name) {
  if (name.size() > kMostName || !base::is_name_of(name, "_+=,.@-")) {
    refuse("policyName: must be 1 to 128 letters, digits and _+=,.@-");
  }
}

bool is_iot_policy_key(std::string_view key) {
  const std::string lowered = base::to_lower(key);
  std::string_view rest = lowered;
  if (rest == "iot:clientid" || rest == "aws:sourceip") return true;
  constexpr std::string_view kThing = "iot:connection.thing.";
  if (rest.starts_with(kThing)) {
    rest.remove_prefix(kThing.size());
    constexpr std::string_view kAttributes = "attributes[";
    const bool is_attribute = rest.starts_with(kAttributes) && rest.ends_with(']') &&
                              rest.size() > kAttributes.size() + 1;
    return is_attribute || rest == "thingname" || rest == "thingtypename" || rest == "isattached";
  }
  constexpr std::string_view kCertificate = "iot:certificate.";
  if (!rest.starts_with(kCertificate)) return false;
  rest.remove_prefix(kCertificate.size());
  if (rest == "serialnumber") return true;
  constexpr std::string_view kIssuer = "issuer.";
  if (rest.starts_with(kIssuer)) return is_field(rest.substr(kIssuer.size()));
  constexpr std::string_view kSubject = "subject.";
  if (!rest.starts_with(kSubject)) return false;
  rest.remove_prefix(kSubject.size());
  for (const std::string_view name : {"alternativename.dnsname", "alternativename.ipaddress"}) {
    if (rest == name) return true;
    if (rest.starts_with(name) && rest[name.size()] == '.' &&
        is_index(rest.substr(name.size() + 1))) {
      return true;
    }
  }
  return is_field(rest);
}

void check_iot_policy_document(const std::string& document) {
  (void)policy::Document::parse(document, policy::DocumentKind::identity);
  const json::value value = base::parse_json(document, "policy");
  if (base::to_text(value).size() > kMostDocumentBytes) {
    refuse("policyDocument: has more than 2048 bytes beside white space");
  }
  const json::value& statements = value.at("Statement");
  if (statements.is_object()) return check_statement(statements);
  for (const json::value& statement : statements.as_array()) check_statement(statement);
}

std::string PolicyTarget::key() const {
  switch (kind) {
    case Kind::certificate:
      return "cert/" + name;
    case Kind::thing_group:
      return "thinggroup/" + name;
    case Kind::consumer:
      return "consumer/" + name;
  }
  throw Error(ErrorCode::internal, "a kind of target has no name");
}

PolicyTarget read_policy_target(std::string_view arn) {
  using Kind = PolicyTarget::Kind;
  if (auto id = fleet::parse_certificate_arn(arn)) return {Kind::certificate, *std::move(id)};
  if (auto target = parse_target_arn(arn); target && target->kind == Target::Kind::thing_group) {
    return {Kind::thing_group, std::move(target->name)};
  }
  const std::size_t at = arn.find(kConsumer);
  if (arn.starts_with("arn:aws:iot:") && at != std::string_view::npos) {
    std::string name(arn.substr(at + kConsumer.size()));
    if (is_thing_name(name)) return {Kind::consumer, std::move(name)};
  }
  refuse("target: \"" + std::string(arn.substr(0, 200)) +
         "\" is no ARN of a certificate (arn:aws:iot:...:cert/<id>), a thing group or a consumer");
}

}  // namespace andon::control
