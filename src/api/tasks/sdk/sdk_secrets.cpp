// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/sdk/sdk_secrets.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "api/table/members.hpp"
#include "api/table/operation.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kSecret = {
    {{"events", "CreateConnection"},
     {"events", "UpdateConnection"},
     {"secretsmanager", "BatchGetSecretValue"},
     {"secretsmanager", "CreateSecret"},
     {"secretsmanager", "GetRandomPassword"},
     {"secretsmanager", "GetSecretValue"},
     {"secretsmanager", "PutSecretValue"},
     {"secretsmanager", "UpdateSecret"}}};

bool is_secure(const json::value& parameter) {
  const auto* const object = parameter.if_object();
  const auto* const type = object == nullptr ? nullptr : object->if_contains("Type");
  return type != nullptr && type->is_string() && type->get_string() == "SecureString";
}

}  // namespace

bool is_secret_operation(std::string_view scope, std::string_view operation) {
  return std::ranges::find(kSecret, std::pair(scope, operation)) != kSecret.end();
}

void check_secret_input(std::string_view scope, std::string_view operation,
                        const json::object& input) {
  if (scope != "ssm" || operation != "PutParameter") return;
  const auto* const type = input.if_contains("Type");
  const bool is_plain = type != nullptr && type->is_string() &&
                        (type->get_string() == "String" || type->get_string() == "StringList");
  if (is_plain) return;
  throw ServiceError(400, "ValidationException",
                     "Type: a state machine puts String or StringList, and names it: the value of "
                     "a SecureString would stand in the execution's history");
}

void check_secret_output(std::string_view scope, const json::object& input,
                         const json::value& output) {
  if (scope != "ssm" || !output.is_object() || !flag(input, "WithDecryption")) return;
  const json::object& members = output.get_object();
  const auto* const one = members.if_contains("Parameter");
  const auto* const many = members.if_contains("Parameters");
  const bool is_secret =
      (one != nullptr && is_secure(*one)) ||
      (many != nullptr && many->is_array() && std::ranges::any_of(many->get_array(), is_secure));
  if (!is_secret) return;
  throw ServiceError(400, "ValidationException",
                     "WithDecryption: a state machine reads no SecureString, whose value would "
                     "stand in the execution's history: let what the machine calls read it, or use "
                     "a connection");
}

}  // namespace andon::api
