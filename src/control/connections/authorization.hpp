// SPDX-License-Identifier: Apache-2.0
// How an HTTP endpoint is called: who says so, and what goes with each request. In the members of
// EventBridge's connections (AuthParameters): read and checked, changed in part, shown without what
// is secret. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::control {

namespace json = base::json;

enum class AuthorizationType : std::uint8_t { basic, api_key };
[[nodiscard]] std::string_view to_string(AuthorizationType type);  // "BASIC"
// Throws unsupported for OAUTH_CLIENT_CREDENTIALS, invalid_argument for no word of AWS's.
[[nodiscard]] AuthorizationType authorization_type(std::string_view word);

struct HttpParameter {
  std::string key;
  std::string value;
  bool is_secret = false;
};

struct Authorization {
  AuthorizationType type = AuthorizationType::basic;
  std::string name;    // of the user; of the header
  std::string secret;  // the password; the header's value
  std::vector<HttpParameter> headers;
  std::vector<HttpParameter> query;
  std::vector<HttpParameter> body;
};

// Throws invalid_argument that names the member, and never holds a value.
[[nodiscard]] Authorization read_authorization(AuthorizationType type, const json::object& members);
// `change` over `members`: objects member by member, all else as a whole.
[[nodiscard]] json::object changed(const json::object& members, const json::object& change);
// Without passwords, the key's value, and values that are said to be secret.
[[nodiscard]] json::object without_secrets(const json::object& members);

}  // namespace andon::control
