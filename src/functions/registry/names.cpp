// SPDX-License-Identifier: Apache-2.0
#include "functions/registry/names.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "functions/registry/types.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostAlias = 128;
constexpr std::size_t kMostText = 256;

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Error malformed(std::string_view text) {
  return Error(ErrorCode::invalid_argument,
               "Value '" + std::string(text.substr(0, kMostText)) +
                   "' at 'functionName' failed to satisfy constraint: Member must be a function's "
                   "name, or its partial or full ARN");
}

bool is_qualifier(std::string_view text) {
  return text == kLatest ||
         (!text.empty() && text.size() <= kMostAlias && base::is_name_of(text, "-_"));
}

}  // namespace

FunctionRef parse_function_ref(std::string_view text) {
  if (text.size() > kMostText) throw malformed(text);
  auto parts = base::split(text, ':');
  constexpr std::size_t kArnParts = 5;  // arn:aws:lambda:REGION:ACCOUNT before "function"
  if (parts.size() > kArnParts && parts[0] == "arn") {
    if (parts[2] != "lambda" || parts[kArnParts] != "function") throw malformed(text);
    parts.erase(parts.begin(), parts.begin() + kArnParts + 1);
  } else if (const auto word = std::ranges::find(parts, std::string_view("function"));
             word != parts.end() && parts.size() > 2) {
    // ACCOUNT:function:NAME, or REGION:ACCOUNT:function:NAME.
    const auto before = word - parts.begin();
    if (before < 1 || before > 2 || !is_digits(*(word - 1))) throw malformed(text);
    parts.erase(parts.begin(), word + 1);
  }
  if (parts.empty() || parts.size() > 2) throw malformed(text);
  FunctionRef ref{.name = std::string(parts[0]), .qualifier = {}};
  if (ref.name.empty() || !base::is_name_of(ref.name, "-_")) throw malformed(text);
  if (parts.size() == 2) {
    if (!is_qualifier(parts[1])) throw malformed(text);
    ref.qualifier = parts[1];
  }
  return ref;
}

FunctionRef parse_function_ref(std::string_view text, std::string_view qualifier) {
  FunctionRef ref = parse_function_ref(text);
  if (qualifier.empty()) return ref;
  if (!is_qualifier(qualifier)) {
    throw Error(ErrorCode::invalid_argument,
                "Value '" + std::string(qualifier.substr(0, kMostAlias)) +
                    "' at 'qualifier' failed to satisfy constraint: Member must be $LATEST, a "
                    "version's number or an alias");
  }
  if (!ref.qualifier.empty() && ref.qualifier != qualifier) {
    throw Error(ErrorCode::invalid_argument,
                "The derived qualifier from the function name does not match the specified "
                "qualifier.");
  }
  ref.qualifier = qualifier;
  return ref;
}

std::string function_arn(const fleet::Arns& arns, std::string_view name,
                         std::string_view qualifier) {
  std::string arn =
      "arn:aws:lambda:" + arns.region() + ":" + arns.account() + ":function:" + std::string(name);
  if (!qualifier.empty()) arn.append(":").append(qualifier);
  return arn;
}

std::optional<std::int64_t> parse_version_number(std::string_view text) {
  if (!is_digits(text) || text.front() == '0') return std::nullopt;
  return base::parse_integer<std::int64_t>(text);
}

void check_alias_name(std::string_view name) {
  if (!name.empty() && name.size() <= kMostAlias && base::is_name_of(name, "-_") &&
      !is_digits(name)) {
    return;
  }
  throw Error(ErrorCode::invalid_argument,
              "Value '" + std::string(name.substr(0, kMostAlias)) +
                  "' at 'name' failed to satisfy constraint: Member must have 1 to 128 letters, "
                  "digits, - and _, and not digits alone");
}

void check_function_name(std::string_view name) {
  if (!name.empty() && name.size() <= kMostName && base::is_name_of(name, "-_")) return;
  throw Error(ErrorCode::invalid_argument,
              "Value '" + std::string(name.substr(0, kMostText)) +
                  "' at 'functionName' failed to satisfy constraint: Member must have 1 to 64 "
                  "letters, digits, - and _");
}

}  // namespace andon::functions
