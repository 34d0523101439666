// SPDX-License-Identifier: Apache-2.0
#include "control/parameters/rules.hpp"

#include <algorithm>

#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"
#include "control/parameters/named_refusal.hpp"
#include "query/regex/regex.hpp"

namespace andon::control {
namespace {

using base::ErrorCode;

constexpr std::size_t kMostLevels = 15;
constexpr std::size_t kMostArn = 1011;
constexpr std::size_t kMostLabel = 100;
constexpr std::size_t kMostShown = 100;
constexpr std::size_t kSuffix = 6;

[[noreturn]] void refuse(std::string message) {
  throw base::Error(ErrorCode::invalid_argument, std::move(message));
}

std::string shown(std::string_view text) {
  return std::string(base::utf8_prefix(text, kMostShown));
}

// What stands behind the account of an ARN; nothing for what is no ARN.
std::optional<std::string_view> resource_of(std::string_view text) {
  constexpr int kColons = 5;
  if (!text.starts_with("arn:")) return std::nullopt;
  for (int i = 0; i < kColons; ++i) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    text.remove_prefix(colon + 1);
  }
  return text;
}

bool is_reserved(std::string_view text) {
  const std::string lower = base::to_lower(text.substr(0, 3));
  return lower == "aws" || lower == "ssm";
}

std::string own_arn(const Arns& arns, std::string_view service, std::string_view resource) {
  return "arn:aws:" + std::string(service) + ":" + arns.region() + ":" + arns.account() + ":" +
         std::string(resource);
}

}  // namespace

std::string_view parameter_key(std::string_view name) {
  if (name.starts_with('/')) name.remove_prefix(1);
  return name;
}

std::string parameter_arn(const Arns& arns, std::string_view key) {
  return own_arn(arns, "ssm", "parameter/" + std::string(key));
}

ParameterReference parse_parameter_reference(std::string_view text) {
  ParameterReference reference;
  const auto resource = resource_of(text);
  if (resource) {
    constexpr std::string_view kKind = "parameter";
    text = *resource;
    if (text.starts_with(kKind)) text.remove_prefix(kKind.size());
  }
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  reference.key = parameter_key(name);
  if (!resource) reference.name = std::string(name);
  if (colon == std::string_view::npos) return reference;
  reference.selector = text.substr(colon);
  const std::string_view selector = text.substr(colon + 1);
  const bool is_number = !selector.empty() && std::ranges::all_of(selector, base::is_digit);
  if (is_number) {
    reference.version = base::parse_int64(selector).value_or(0);
  } else {
    reference.label = selector;
  }
  return reference;
}

void check_parameter_name(const Arns& arns, std::string_view name) {
  if (!base::is_name_of(name, "_.-/")) {
    refuse("Parameter name: '" + shown(name) +
           "': only letters, digits and the symbols .-_ are allowed, and '/' between the levels of "
           "a path");
  }
  const std::string_view key = parameter_key(name);
  if (is_reserved(key)) {
    refuse("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive): '" +
           shown(name) + "'");
  }
  if (name.find('/') != std::string_view::npos && !name.starts_with('/')) {
    refuse("Parameter name must be a fully qualified name: begin '" + shown(name) + "' with '/'");
  }
  const auto levels = base::split(key, '/');
  if (std::ranges::any_of(levels, [](std::string_view level) { return level.empty(); })) {
    refuse("Parameter name: '" + shown(name) + "' has an empty level");
  }
  if (levels.size() > kMostLevels) {
    throw NamedRefusal(ErrorCode::invalid_argument, "HierarchyLevelLimitExceededException",
                       "A hierarchy can have a maximum of 15 levels: '" + shown(name) + "' has " +
                           std::to_string(levels.size()));
  }
  if (parameter_arn(arns, key).size() > kMostArn) {
    refuse("Parameter name: its ARN would have more than 1011 characters: '" + shown(name) +
           "...'");
  }
}

void check_parameter_path(std::string_view path) {
  const bool fits = path == "/" || (base::is_name_of(path, "_.-/") && path.starts_with('/') &&
                                    path.find("//") == std::string_view::npos);
  if (!fits) {
    refuse(
        "The parameter doesn't meet the parameter name requirements. The path must begin with "
        "a forward slash \"/\", and have letters, digits and .-_ between the slashes: '" +
        shown(path) + "'");
  }
}

bool is_parameter_label(std::string_view label) {
  return label.size() <= kMostLabel && base::is_name_of(label, "_.-") &&
         !base::is_digit(label.front()) && !is_reserved(label);
}

void check_allowed_pattern(std::string_view pattern, std::string_view value) {
  const auto wrong = [&](const base::Error& error) {
    throw NamedRefusal(ErrorCode::invalid_argument, "InvalidAllowedPatternException",
                       "AllowedPattern: '" + shown(pattern) + "': " + error.message());
  };
  bool matches = false;
  try {
    matches = query::Regex(pattern, {}).matches_all(value);
  } catch (const base::Error& error) {
    wrong(error);
  }
  if (!matches) {
    throw NamedRefusal(
        ErrorCode::invalid_argument, "ParameterPatternMismatchException",
        "Parameter value, cannot be validated against allowedPattern: " + shown(pattern));
  }
}

SecretReference parse_secret_reference(std::string_view text) {
  SecretReference reference;
  const auto resource = resource_of(text);
  constexpr std::string_view kKind = "secret:";
  if (!resource || !resource->starts_with(kKind)) {
    reference.name = text;
    return reference;
  }
  const std::string_view rest = resource->substr(kKind.size());
  reference.name = rest;
  if (rest.size() <= kSuffix + 1 || rest[rest.size() - kSuffix - 1] != '-') return reference;
  reference.short_name = rest.substr(0, rest.size() - kSuffix - 1);
  reference.suffix = rest.substr(rest.size() - kSuffix);
  return reference;
}

std::string secret_arn(const Arns& arns, std::string_view name, std::string_view suffix) {
  return own_arn(arns, "secretsmanager", "secret:" + std::string(name) + "-" + std::string(suffix));
}

void check_secret_name(std::string_view name) {
  constexpr std::size_t kMost = 512;
  if (name.size() > kMost || !base::is_name_of(name, "/_+=.@-!")) {
    throw NamedRefusal(ErrorCode::invalid_argument, "ValidationException",
                       "Invalid name. Must be a valid name containing alphanumeric characters, or "
                       "any of the following: -/_+=.@!");
  }
}

}  // namespace andon::control
