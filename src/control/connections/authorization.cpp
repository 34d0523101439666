// SPDX-License-Identifier: Apache-2.0
#include "control/connections/authorization.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/utf8.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::size_t kMostText = 512;
constexpr std::size_t kMostParameters = 100;
constexpr const char* kBasic = "BasicAuthParameters";
constexpr const char* kApiKey = "ApiKeyAuthParameters";
constexpr const char* kInvocation = "InvocationHttpParameters";
constexpr const char* kLists[] = {"HeaderParameters", "QueryStringParameters", "BodyParameters"};

// Text that may stand in a line of HTTP's head.
std::string line(const JsonReader& reader, std::string_view key) {
  std::string text = reader.required_text(key);
  const bool fits = text.size() <= kMostText && base::is_utf8(text) &&
                    std::ranges::none_of(text, [](char c) { return base::is_control(c); });
  if (!fits) reader.fail(key, "must have 1 to 512 characters, and no control character");
  return text;
}

std::string header_name(const JsonReader& reader, std::string_view key) {
  std::string name = line(reader, key);
  // A token of RFC 9110.
  if (!base::is_name_of(name, "!#$%&'*+-.^_`|~")) reader.fail(key, "is no name of a header");
  constexpr std::string_view kOurs[] = {"host", "content-length", "transfer-encoding",
                                        "connection"};
  if (std::ranges::find(kOurs, base::to_lower(name)) != std::end(kOurs)) {
    reader.fail(key, "is a header that a connection may not set");
  }
  return name;
}

std::vector<HttpParameter> read_list(const JsonReader& reader, const char* list) {
  const auto items = reader.children(list);
  if (items.size() > kMostParameters) reader.fail(list, "must have at most 100 items");
  std::vector<HttpParameter> parameters;
  for (const JsonReader& item : items) {
    item.allow_only({"Key", "Value", "IsValueSecret"});
    const bool is_header = list == kLists[0];
    parameters.push_back({is_header ? header_name(item, "Key") : line(item, "Key"),
                          line(item, "Value"),
                          item.optional_bool("IsValueSecret").value_or(false)});
  }
  return parameters;
}

}  // namespace

std::string_view to_string(AuthorizationType type) {
  return type == AuthorizationType::basic ? "BASIC" : "API_KEY";
}

AuthorizationType authorization_type(std::string_view word) {
  if (word == "BASIC") return AuthorizationType::basic;
  if (word == "API_KEY") return AuthorizationType::api_key;
  if (word == "OAUTH_CLIENT_CREDENTIALS") {
    throw Error(ErrorCode::unsupported,
                "AuthorizationType OAUTH_CLIENT_CREDENTIALS is not supported here: use API_KEY or "
                "BASIC");
  }
  throw Error(ErrorCode::invalid_argument, "AuthorizationType must be BASIC or API_KEY");
}

Authorization read_authorization(AuthorizationType type, const json::object& members) {
  const JsonReader reader(members, "AuthParameters");
  for (const char* unsupported : {"OAuthParameters", "ConnectivityParameters"}) {
    if (reader.has(unsupported)) reader.fail(unsupported, "is not supported here");
  }
  reader.allow_only({kBasic, kApiKey, kInvocation});
  Authorization made{.type = type};
  const bool is_basic = type == AuthorizationType::basic;
  if (reader.has(is_basic ? kApiKey : kBasic)) {
    reader.fail(is_basic ? kApiKey : kBasic,
                "does not belong to AuthorizationType " + std::string(to_string(type)));
  }
  const JsonReader own = reader.child(is_basic ? kBasic : kApiKey);
  if (is_basic) {
    own.allow_only({"Username", "Password"});
    made.name = line(own, "Username");
    if (made.name.find(':') != std::string::npos) own.fail("Username", "may not hold ':'");
    made.secret = line(own, "Password");
  } else {
    own.allow_only({"ApiKeyName", "ApiKeyValue"});
    made.name = header_name(own, "ApiKeyName");
    made.secret = line(own, "ApiKeyValue");
  }
  const JsonReader invocation = reader.child_or_empty(kInvocation);
  invocation.allow_only({kLists[0], kLists[1], kLists[2]});
  made.headers = read_list(invocation, kLists[0]);
  made.query = read_list(invocation, kLists[1]);
  made.body = read_list(invocation, kLists[2]);
  return made;
}

json::object changed(const json::object& members, const json::object& change) {
  json::object result = members;
  for (const auto& member : change) {
    const auto* old = result.if_contains(member.key());
    if (old != nullptr && old->is_object() && member.value().is_object()) {
      result[member.key()] = changed(old->get_object(), member.value().get_object());
    } else if (!member.value().is_null()) {
      result[member.key()] = member.value();
    }
  }
  return result;
}

json::object without_secrets(const json::object& members) {
  json::object shown = members;
  if (auto* basic = shown.if_contains(kBasic)) basic->as_object().erase("Password");
  if (auto* key = shown.if_contains(kApiKey)) key->as_object().erase("ApiKeyValue");
  auto* invocation = shown.if_contains(kInvocation);
  if (invocation == nullptr || !invocation->is_object()) return shown;
  for (const char* name : kLists) {
    auto* list = invocation->get_object().if_contains(name);
    if (list == nullptr || !list->is_array()) continue;
    for (json::value& item : list->get_array()) {
      const auto* secret = item.as_object().if_contains("IsValueSecret");
      if (secret != nullptr && secret->is_bool() && secret->get_bool()) {
        item.as_object().erase("Value");
      }
    }
  }
  return shown;
}

}  // namespace andon::control
