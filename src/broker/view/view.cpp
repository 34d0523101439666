// SPDX-License-Identifier: Apache-2.0
#include "broker/view/view.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "policy/language/document.hpp"

namespace andon::broker {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kFingerprintLength = 64;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMostPolicies = 1000;
constexpr std::size_t kMostFacts = 500;

// In the order of their line.
constexpr std::array kLimits{
    &Limits::message_bytes,     &Limits::messages_per_second, &Limits::bytes_per_second,
    &Limits::retained_messages, &Limits::retained_bytes,      &Limits::sessions,
    &Limits::subscriptions,
};

std::string_view to_string(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::thing:
      return "thing";
    case PrincipalKind::client:
      return "client";
    case PrincipalKind::claim:
      return "claim";
    case PrincipalKind::consumer:
      return "consumer";
    case PrincipalKind::server:
      return "server";
  }
  throw Error(ErrorCode::internal, "a kind of principal has no name");
}

PrincipalKind parse_kind(std::string_view text) {
  for (const PrincipalKind kind :
       {PrincipalKind::thing, PrincipalKind::client, PrincipalKind::claim, PrincipalKind::consumer,
        PrincipalKind::server}) {
    if (to_string(kind) == text) return kind;
  }
  throw Error(ErrorCode::invalid_argument,
              "a line of the broker's view is not good: a principal is a thing, a client, a "
              "claim, a consumer or the server");
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid_argument, "a line of the broker's view is not good: " + why);
}

std::string read_fingerprint(std::string_view text) {
  if (!base::is_hex_of(text, kFingerprintLength / 2)) {
    refuse("a fingerprint must be 64 lower-case hexadecimal digits");
  }
  return std::string(text);
}

// A name becomes a level of topics: with a wildcard or a slash in it, it would be more than one.
std::string read_name(std::string_view text) {
  const bool is_bad = std::ranges::any_of(
      text, [](char c) { return base::is_control(c) || c == '+' || c == '#' || c == '/'; });
  if (text.empty() || text.size() > kMaxNameBytes || is_bad) {
    refuse("a name must be 1 to 128 bytes without +, #, / and control characters");
  }
  return std::string(text);
}

std::string read_policy_name(std::string_view text) {
  if (text.size() > kMaxNameBytes || !base::is_name_of(text, "_+=,.@-")) {
    refuse("a policy's name must be 1 to 128 letters, digits and _+=,.@-");
  }
  return std::string(text);
}

base::json::object read_object(std::string_view text) {
  base::json::value value;
  try {
    value = base::parse_json(text, "broker's view");
  } catch (const Error& error) {
    refuse(error.message());
  }
  if (!value.is_object()) refuse("what is behind a name must be a JSON object");
  return std::move(value.as_object());
}

// {"policies": [...], "facts": {...}}
void read_rights(std::string_view text, Principal& principal) {
  const base::json::object rights = read_object(text);
  const base::JsonReader reader(rights, "rights");
  reader.allow_only({"policies", "facts"});
  if (reader.has("policies")) principal.policies = reader.strings("policies");
  for (const std::string& name : principal.policies) (void)read_policy_name(name);
  if (reader.has("facts")) principal.facts = reader.string_map("facts");
  if (principal.policies.size() > kMostPolicies || principal.facts.size() > kMostFacts) {
    refuse("a principal has too many policies or facts");
  }
}

std::string rights_text(const Principal& principal) {
  base::json::object facts;
  for (const auto& [key, value] : principal.facts) facts[key] = value;
  return base::to_text(
      {{"policies", base::json::array(principal.policies.begin(), principal.policies.end())},
       {"facts", std::move(facts)}});
}

SetPolicy read_policy(std::string_view rest) {
  std::string name = read_policy_name(base::take_part(rest, ' '));
  return {std::move(name), base::to_text(read_object(rest))};
}

// A document that says nothing, in the place of one that cannot be read.
std::shared_ptr<const policy::Document> read_document(const std::string& text) {
  try {
    return std::make_shared<const policy::Document>(
        policy::Document::parse(text, policy::DocumentKind::identity));
  } catch (const Error&) {
    return std::make_shared<const policy::Document>();
  }
}

std::string read_realm(std::string_view text) {
  if (text.size() > kMaxNameBytes || !base::is_name_of(text, ":-") || !text.ends_with(':')) {
    refuse("a realm must be what ARNs begin with: arn:aws:iot:REGION:ACCOUNT:");
  }
  return std::string(text);
}

Limits read_limits(std::string_view rest) {
  Limits limits;
  for (const auto value : kLimits) {
    const std::string_view word = base::take_part(rest, ' ');
    const auto limit = base::parse_integer<std::remove_reference_t<decltype(limits.*value)>>(word);
    if (!limit) refuse("limits must be " + std::to_string(kLimits.size()) + " whole numbers");
    limits.*value = *limit;
  }
  if (!rest.empty()) refuse("there are too many limits");
  return limits;
}

}  // namespace

void View::apply(const Change& change) {
  if (const auto* allow = std::get_if<AllowCertificate>(&change)) {
    Principal& principal = principals_[allow->fingerprint];
    count_client(principal, -1);
    principal = allow->principal;
    count_client(principal, 1);
  } else if (const auto* refuse = std::get_if<RefuseCertificate>(&change)) {
    const auto found = principals_.find(refuse->fingerprint);
    if (found == principals_.end()) return;
    count_client(found->second, -1);
    principals_.erase(found);
  } else if (const auto* added = std::get_if<AddThing>(&change)) {
    things_.insert(added->name);
  } else if (const auto* removed = std::get_if<RemoveThing>(&change)) {
    things_.erase(removed->name);
  } else if (const auto* set = std::get_if<SetPolicy>(&change)) {
    policies_[set->name] = {.document = set->document};
    sets_.clear();
  } else if (const auto* gone = std::get_if<RemovePolicy>(&change)) {
    policies_.erase(gone->name);
    sets_.clear();
  } else if (const auto* realm = std::get_if<SetRealm>(&change)) {
    realm_ = realm->prefix;
  } else {
    limits_ = std::get<Limits>(change);
  }
}

void View::count_client(const Principal& principal, int by) {
  if (principal.kind != PrincipalKind::client || principal.name.empty()) return;
  const auto found = clients_.try_emplace(principal.name, 0).first;
  found->second += by;
  if (found->second <= 0) clients_.erase(found);
}

const Principal* View::find(std::string_view credential) const {
  const auto found = principals_.find(credential);
  return found == principals_.end() ? nullptr : &found->second;
}

bool View::has_client(std::string_view name) const {
  return clients_.contains(name);
}

std::shared_ptr<const policy::NamedPolicy> View::compiled(const std::string& name) {
  const auto found = policies_.find(name);
  if (found == policies_.end()) {
    return std::make_shared<const policy::NamedPolicy>(policy::NamedPolicy{
        .name = name, .source = {}, .document = std::make_shared<const policy::Document>()});
  }
  Policy& policy = found->second;
  if (policy.compiled == nullptr) {
    policy.compiled = std::make_shared<const policy::NamedPolicy>(policy::NamedPolicy{
        .name = name, .source = {}, .document = read_document(policy.document)});
  }
  return policy.compiled;
}

std::shared_ptr<const policy::PolicySet> View::policies_of(const Principal& principal) {
  if (principal.policies.empty()) return nullptr;
  std::string key;
  for (const std::string& name : principal.policies) key.append(name).append(" ");
  const auto found = sets_.find(key);
  if (found != sets_.end()) {
    if (auto set = found->second.lock()) return set;
  }
  std::vector<std::shared_ptr<const policy::NamedPolicy>> all;
  for (const std::string& name : principal.policies) all.push_back(compiled(name));
  auto set = std::make_shared<const policy::PolicySet>(std::move(all));
  if (sets_.size() >= most_sets_) {
    std::erase_if(sets_, [](const auto& entry) { return entry.second.expired(); });
    most_sets_ = std::max(kManySets, 2 * sets_.size());  // so that it is seldom looked through
  }
  sets_[key] = set;
  return set;
}

bool View::has_thing(std::string_view name) const {
  return things_.contains(name);
}

std::string to_line(const Change& change) {
  std::string line;
  if (const auto* allow = std::get_if<AllowCertificate>(&change)) {
    line.append("allow ").append(allow->fingerprint).append(" ");
    line.append(to_string(allow->principal.kind)).append(" ").append(allow->principal.name);
    if (!allow->principal.policies.empty() || !allow->principal.facts.empty()) {
      line.append(" ").append(rights_text(allow->principal));
    }
  } else if (const auto* refused = std::get_if<RefuseCertificate>(&change)) {
    line.append("refuse ").append(refused->fingerprint);
  } else if (const auto* added = std::get_if<AddThing>(&change)) {
    line.append("thing ").append(added->name);
  } else if (const auto* removed = std::get_if<RemoveThing>(&change)) {
    line.append("no-thing ").append(removed->name);
  } else if (const auto* set = std::get_if<SetPolicy>(&change)) {
    line.append("policy ").append(set->name).append(" ").append(set->document);
  } else if (const auto* gone = std::get_if<RemovePolicy>(&change)) {
    line.append("no-policy ").append(gone->name);
  } else if (const auto* realm = std::get_if<SetRealm>(&change)) {
    line.append("realm ").append(realm->prefix);
  } else {
    line = "limits";
    for (const auto value : kLimits) {
      line.append(" ").append(std::to_string(std::get<Limits>(change).*value));
    }
  }
  return line + "\n";
}

Change parse_line(std::string_view line) {
  if (line.size() > kMaxLineBytes) refuse("it is too long");
  const std::string_view verb = base::take_part(line, ' ');
  if (verb == "allow") {
    std::string fingerprint = read_fingerprint(base::take_part(line, ' '));
    const PrincipalKind kind = parse_kind(base::take_part(line, ' '));
    const std::size_t end = std::min(line.find(" {"), line.size());
    Principal principal{.kind = kind, .name = read_name(line.substr(0, end))};
    if (end < line.size()) read_rights(line.substr(end + 1), principal);
    return AllowCertificate{std::move(fingerprint), std::move(principal)};
  }
  if (verb == "refuse") return RefuseCertificate{read_fingerprint(line)};
  if (verb == "thing") return AddThing{read_name(line)};
  if (verb == "no-thing") return RemoveThing{read_name(line)};
  if (verb == "policy") return read_policy(line);
  if (verb == "no-policy") return RemovePolicy{read_policy_name(line)};
  if (verb == "realm") return SetRealm{read_realm(line)};
  if (verb == "limits") return read_limits(line);
  refuse("it must begin with allow, refuse, thing, no-thing, policy, no-policy, realm or limits");
}

}  // namespace andon::broker
