// SPDX-License-Identifier: Apache-2.0
// Roles that the server itself takes for somebody: a state machine, a function, a schedule, a
// device. The role's trust policy must allow the service that asks ("states.amazonaws.com"). What a
// session may do is decided like anybody's, by principals.hpp. Roles are kept until something of
// IAM changes, so a change counts for the next call. The account in a role's ARN counts as this
// one's own, so that what was written for AWS works unchanged. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "control/iam/entities.hpp"
#include "control/iam/iam_rules.hpp"
#include "control/identity/access_keys.hpp"
#include "policy/language/context.hpp"
#include "policy/language/document.hpp"

namespace andon::control {

// Services as trust policies name them.
inline constexpr std::string_view kStatesService = "states.amazonaws.com";
inline constexpr std::string_view kFunctionsService = "lambda.amazonaws.com";
inline constexpr std::string_view kEventsService = "events.amazonaws.com";
inline constexpr std::string_view kBuildsService = "codebuild.amazonaws.com";
inline constexpr std::string_view kSchedulerService = "scheduler.amazonaws.com";
inline constexpr std::string_view kSageMakerService = "sagemaker.amazonaws.com";
inline constexpr std::string_view kDevicesService = "credentials.iot.amazonaws.com";

struct RoleUse {
  std::string role_arn;
  // What the session is called: the name of an execution, a function, a thing. A character that a
  // session's name cannot have becomes '-', and 64 are kept.
  std::string session;
  std::string_view service;  // who takes it
  // For whom: aws:SourceArn and aws:SourceAccount in the trust policy's conditions. May be empty.
  std::string source_arn = {};
};

// "arn:aws:iam::123456789012:role/x" -> "arn:aws:iam::000000000000:role/x"; what is no such ARN as
// it is.
[[nodiscard]] std::string own_role_arn(const std::string& arn, const std::string& account);

class RoleSessions {
 public:
  RoleSessions(const Entities& entities, const IamChanges& changes, AccessKeys& keys);

  // The session's principal, "role/<id>/<session>". Throws permission_denied where there is no such
  // role or it does not trust the service.
  [[nodiscard]] std::string take(const RoleUse& use) const;
  // Short-lived credentials of such a session, for a process or a device: from a minute to 12 hours
  // (invalid_argument). `session_policy`, a policy document, narrows them; empty: none.
  // `certificate`: of the device that they are for, with which they end.
  [[nodiscard]] AccessKey credentials(const RoleUse& use, std::chrono::seconds lifetime,
                                      const std::string& session_policy = {},
                                      const std::string& certificate = {}) const;

  [[nodiscard]] static std::string session_name_of(std::string_view text);
  static constexpr std::chrono::seconds kLongest = std::chrono::hours(12);

 private:
  struct Role {
    std::string id;
    policy::Document trust;
  };
  struct Kept {
    std::uint64_t as_of = 0;
    std::shared_ptr<const Role> role;  // null: there is none
  };
  [[nodiscard]] std::shared_ptr<const Role> find(const std::string& arn) const;

  const Entities& entities_;
  const IamChanges& changes_;
  AccessKeys& keys_;
  mutable std::shared_mutex mutex_;
  mutable std::unordered_map<std::string, Kept> kept_;  // by ARN
};

}  // namespace andon::control
