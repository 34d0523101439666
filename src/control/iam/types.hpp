// SPDX-License-Identifier: Apache-2.0
// Room: iam. Users, groups, roles and their policies, as IAM has them, and what they may do.
// What the tables hold, as values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"

namespace andon::control {

enum class EntityKind : std::uint8_t { user, group, role };
[[nodiscard]] std::string_view to_string(EntityKind kind);  // "user", "group", "role"

// A user, a group or a role.
struct Entity {
  EntityKind kind = EntityKind::user;
  std::string id;  // AIDA..., AGPA..., AROA...: never used again
  std::string name;
  std::string path;  // "/", "/plant/"
  std::string arn;
  base::Timestamp created;
  // Of roles only.
  std::string description;
  std::string trust;  // who may take it: a policy document
  std::chrono::seconds longest_session{3600};
};

struct NewEntity {
  EntityKind kind = EntityKind::user;
  std::string name;
  std::string path = "/";
  std::string description = {};
  std::string trust = {};
  std::chrono::seconds longest_session{3600};
};

struct ManagedPolicy {
  std::string arn;
  std::string id;  // ANPA...
  std::string name;
  std::string path;
  std::string description;
  std::int64_t default_version = 1;
  std::int64_t attachments = 0;
  base::Timestamp created;
  base::Timestamp updated;
  bool is_ready_made = false;  // part of andon, as AWS's own policies are
};

struct NewPolicy {
  std::string name;
  std::string path = "/";
  std::string description;
  std::string document;
};

}  // namespace andon::control
