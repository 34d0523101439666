// SPDX-License-Identifier: Apache-2.0
#include "policy/language/document.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"

namespace andon::policy {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::size_t kMostDepth = 8;
constexpr std::size_t kMostStatements = 200;
constexpr std::string_view kNewVersion = "2012-10-17";
constexpr std::string_view kOldVersion = "2008-10-17";

// A text, or a list of them; nothing where it is absent.
std::vector<std::string> texts(const JsonReader& reader, std::string_view key) {
  const json::value* value = reader.find(key);
  if (value == nullptr) return {};
  std::vector<std::string> list;
  if (const auto* text = value->if_string()) list.emplace_back(*text);
  if (value->is_array()) list = reader.strings(key);
  if (list.empty()) reader.fail(key, "must be a text or a list of texts, and not empty");
  return list;
}

Pattern make_pattern(const JsonReader& reader, std::string_view key, std::string_view text,
                     const PatternSyntax& syntax) {
  try {
    return {text, syntax};
  } catch (const Error& error) {
    reader.fail(key, error.message());
  }
}

std::vector<Pattern> read_actions(const JsonReader& reader, std::string_view key) {
  std::vector<Pattern> actions;
  for (const std::string& text : texts(reader, key)) {
    const std::size_t colon = text.find(':');
    const bool is_named = colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
                          text.find(':', colon + 1) == std::string::npos;
    if (text != "*" && !is_named) {
      reader.fail(key, "\"" + text.substr(0, 100) + "\" is no action: expected service:Action");
    }
    actions.push_back(make_pattern(reader, key, text,
                                   {.variables = PatternSyntax::Variables::are_text,
                                    .letter_case = PatternSyntax::Case::ignored}));
  }
  return actions;
}

std::vector<Pattern> read_resources(const JsonReader& reader, std::string_view key,
                                    Variables variables) {
  std::vector<Pattern> resources;
  for (const std::string& text : texts(reader, key)) {
    if (text != "*" && !text.starts_with("arn:") && !text.starts_with("*:") &&
        !text.starts_with("${")) {
      reader.fail(key, "\"" + text.substr(0, 100) + "\" is no resource: expected an ARN or *");
    }
    resources.push_back(make_pattern(
        reader, key, text,
        {.variables = variables == Variables::replace ? PatternSyntax::Variables::replace
                                                      : PatternSyntax::Variables::are_text}));
  }
  return resources;
}

std::vector<PrincipalPattern> read_principals(const JsonReader& reader, std::string_view key) {
  using Kind = PrincipalPattern::Kind;
  const json::value* value = reader.find(key);
  if (value == nullptr) return {};
  if (value->is_string()) {
    if (value->as_string() != "*") reader.fail(key, "must be \"*\" or an object");
    return {{.kind = Kind::everybody, .text = "*"}};
  }
  constexpr std::array<std::pair<std::string_view, Kind>, 3> kKinds = {
      {{"AWS", Kind::aws}, {"Service", Kind::service}, {"Federated", Kind::federated}}};
  const JsonReader inner = reader.child(key);
  inner.allow_only({"AWS", "Service", "Federated"});
  std::vector<PrincipalPattern> principals;
  for (const auto& [name, kind] : kKinds) {
    for (std::string& text : texts(inner, name)) {
      const bool is_anybody = kind == Kind::aws && text == "*";
      principals.push_back({.kind = is_anybody ? Kind::everybody : kind, .text = std::move(text)});
    }
  }
  if (principals.empty()) reader.fail(key, "names nobody");
  return principals;
}

// One of two members, of which exactly one must be there.
bool is_negated(const JsonReader& reader, std::string_view key, std::string_view negated) {
  if (reader.has(key) == reader.has(negated)) {
    reader.fail(key, "exactly one of " + std::string(key) + " and " + std::string(negated) +
                         " must be there");
  }
  return reader.has(negated);
}

Statement read_statement(const JsonReader& reader, DocumentKind kind, Variables variables) {
  reader.allow_only({"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction",
                     "Resource", "NotResource", "Condition"});
  Statement statement;
  statement.sid = reader.optional_string("Sid").value_or("");
  if (!std::ranges::all_of(statement.sid, base::is_letter_or_digit) &&
      kind != DocumentKind::resource) {
    reader.fail("Sid", "may have letters and digits only");
  }
  constexpr std::array<std::pair<std::string_view, Effect>, 2> kEffects = {
      {{"Allow", Effect::allow}, {"Deny", Effect::deny}}};
  const auto effect = reader.choice("Effect", kEffects);
  if (!effect) reader.fail("Effect", "is missing: Allow or Deny");
  statement.effect = *effect;
  statement.is_not_action = is_negated(reader, "Action", "NotAction");
  statement.actions = read_actions(reader, statement.is_not_action ? "NotAction" : "Action");
  const auto refuse = [&](std::string_view key, std::string_view what) {
    if (reader.has(key)) reader.fail(key, what);
  };
  if (kind == DocumentKind::identity) {
    for (const auto* key : {"Principal", "NotPrincipal"}) {
      refuse(key, "a policy of a user, group or role is about who has it: leave it out");
    }
  } else {
    statement.is_not_principal = is_negated(reader, "Principal", "NotPrincipal");
    statement.principals =
        read_principals(reader, statement.is_not_principal ? "NotPrincipal" : "Principal");
  }
  if (kind == DocumentKind::trust) {
    for (const auto* key : {"Resource", "NotResource"}) {
      refuse(key, "a trust policy is about its role: leave it out");
    }
  } else {
    statement.is_not_resource = is_negated(reader, "Resource", "NotResource");
    statement.resources =
        read_resources(reader, statement.is_not_resource ? "NotResource" : "Resource", variables);
  }
  if (const json::value* block = reader.find("Condition")) {
    try {
      statement.conditions = read_conditions(*block, variables);
    } catch (Error& error) {
      if (reader.where().empty()) throw;
      throw error.with_context(reader.where());
    }
  }
  return statement;
}

}  // namespace

Document Document::parse(std::string_view text, DocumentKind kind) {
  const json::value value =
      base::parse_json(text, "policy", {.max_bytes = kMostBytes, .max_depth = kMostDepth});
  const JsonReader reader(value, "", {.separator = ": "});
  reader.allow_only({"Version", "Id", "Statement"});
  const std::string version = reader.optional_string("Version").value_or(std::string(kOldVersion));
  if (version != kNewVersion && version != kOldVersion) {
    reader.fail("Version", "must be 2012-10-17 or 2008-10-17");
  }
  const Variables variables = version == kNewVersion ? Variables::replace : Variables::are_text;
  Document document;
  document.text_ = text;
  const json::value* statements = reader.find("Statement");
  if (statements == nullptr) reader.fail("Statement", "is missing");
  if (statements->is_object()) {
    document.statements_.push_back(read_statement(reader.child("Statement"), kind, variables));
    return document;
  }
  const auto children = reader.children("Statement");
  if (children.empty()) reader.fail("Statement", "is empty");
  if (children.size() > kMostStatements) reader.fail("Statement", "has more than 200 of them");
  for (const JsonReader& child : children) {
    document.statements_.push_back(read_statement(child, kind, variables));
  }
  std::vector<std::string_view> sids;
  for (const Statement& statement : document.statements_) {
    if (!statement.sid.empty()) sids.push_back(statement.sid);
  }
  std::ranges::sort(sids);
  const auto twice = std::ranges::adjacent_find(sids);
  if (twice != sids.end()) {
    reader.fail("Statement", "two of them have the Sid \"" + std::string(*twice) + "\"");
  }
  return document;
}

}  // namespace andon::policy
