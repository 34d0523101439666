// SPDX-License-Identifier: Apache-2.0
// Policies that are part of andon, as AWS has its own: arn:aws:iam::aws:policy/<name>. Nobody
// changes or deletes them. And the roles that a new server has, one for each. Constants.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace andon::control {

struct ReadyMade {
  std::string_view policy;  // "AdministratorAccess"
  std::string_view role;    // "admin"
  std::string_view description;
  std::string_view document;
  std::string_view service = {};  // takes the role; empty: who of the account is allowed to

  [[nodiscard]] std::string arn() const;
};

[[nodiscard]] std::span<const ReadyMade> ready_made();
// Null where it is none of them.
[[nodiscard]] const ReadyMade* find_ready_made(std::string_view arn);

}  // namespace andon::control
