// SPDX-License-Identifier: Apache-2.0
#include "control/passwords/password_policy.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/utf8.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int kShortestLeast = 6;
constexpr int kMostCharacters = 128;
constexpr int kMostDays = 1095;
constexpr int kStandardLength = 8;
constexpr int kStandardKinds = 3;
constexpr std::string_view kSymbols = "!@#$%^&*()_+-=[]{}|'";

struct Kinds {
  bool upper = false;
  bool lower = false;
  bool number = false;
  bool symbol = false;
  [[nodiscard]] int count() const {
    return static_cast<int>(upper) + static_cast<int>(lower) + static_cast<int>(number) +
           static_cast<int>(symbol);
  }
};

Kinds kinds_of(std::string_view password) {
  Kinds kinds;
  for (const char character : password) {
    kinds.upper |= character >= 'A' && character <= 'Z';
    kinds.lower |= character >= 'a' && character <= 'z';
    kinds.number |= character >= '0' && character <= '9';
    kinds.symbol |= kSymbols.find(character) != std::string_view::npos;
  }
  return kinds;
}

void check_range(std::string_view member, long value, long least, long most) {
  if (value >= least && value <= most) return;
  throw Error(ErrorCode::invalid_argument, std::string(member) + ": must be from " +
                                               std::to_string(least) + " to " +
                                               std::to_string(most));
}

}  // namespace

void check_password_policy(const PasswordPolicy& policy) {
  check_range("MinimumPasswordLength", policy.least_length, kShortestLeast, kMostCharacters);
  if (policy.longest_age) check_range("MaxPasswordAge", policy.longest_age->count(), 1, kMostDays);
  check_range("PasswordReusePrevention", policy.remembered, 0, kMostRememberedPasswords);
}

std::optional<std::string> password_problem(const std::optional<PasswordPolicy>& policy,
                                            std::string_view user, std::string_view password) {
  const bool has_control = std::ranges::any_of(password, [](char one) {
    const auto byte = static_cast<unsigned char>(one);
    return byte < 0x20 || byte == 0x7f;
  });
  if (has_control || !base::is_utf8(password)) {
    return "Password: has control characters, or is not UTF-8";
  }
  const int length = static_cast<int>(base::count_code_points(password));
  const int least = policy ? policy->least_length : kStandardLength;
  if (length < least) {
    return "Password should have a minimum length of " + std::to_string(least);
  }
  if (length > kMostCharacters) return "Password should have at most 128 characters";
  if (base::to_lower(password) == base::to_lower(user)) {
    return "Password should not be the name of the user";
  }
  const Kinds kinds = kinds_of(password);
  if (!policy) {
    if (kinds.count() >= kStandardKinds) return std::nullopt;
    return "Password should have at least three of: uppercase letters, lowercase letters, numbers, "
           "symbols";
  }
  if (policy->wants_upper_case && !kinds.upper) {
    return "Password should have at least one uppercase letter";
  }
  if (policy->wants_lower_case && !kinds.lower) {
    return "Password should have at least one lowercase letter";
  }
  if (policy->wants_numbers && !kinds.number) return "Password should have at least one number";
  if (policy->wants_symbols && !kinds.symbol) {
    return "Password should have at least one of the symbols " + std::string(kSymbols);
  }
  return std::nullopt;
}

}  // namespace andon::control
