// SPDX-License-Identifier: Apache-2.0
// What the account wants of passwords, as IAM has it. Values; pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace andon::control {

struct PasswordPolicy {
  int least_length = 6;
  bool wants_symbols = false;
  bool wants_numbers = false;
  bool wants_upper_case = false;
  bool wants_lower_case = false;
  bool users_may_change = false;                 // their own, without a policy that allows it
  std::optional<std::chrono::days> longest_age;  // nothing: for ever
  int remembered = 0;                            // past ones that may not come again
  bool is_hard = false;                          // who has one that is too old cannot set a new one
};

inline constexpr int kMostRememberedPasswords = 24;

// Throws invalid_argument naming the member.
void check_password_policy(const PasswordPolicy& policy);

// Why it will not do for the user of that name; nothing where it will. Without a policy: 8
// characters of at least three kinds, and not the name, as AWS has it. `password` is UTF-8.
[[nodiscard]] std::optional<std::string> password_problem(
    const std::optional<PasswordPolicy>& policy, std::string_view user, std::string_view password);

}  // namespace andon::control
