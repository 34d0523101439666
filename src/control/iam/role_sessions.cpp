// SPDX-License-Identifier: Apache-2.0
#include "control/iam/role_sessions.hpp"

#include <mutex>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "control/iam/principals.hpp"
#include "policy/decision/decision.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostKept = 10'000;
constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostShown = 600;

std::string shown(const std::string& text) {
  return "'" + text.substr(0, kMostShown) + "'";
}

}  // namespace

std::string own_role_arn(const std::string& arn, const std::string& account) {
  constexpr std::string_view kPrefix = "arn:aws:iam::";
  const std::size_t colon = arn.starts_with(kPrefix) ? arn.find(':', kPrefix.size()) : arn.npos;
  if (colon == std::string::npos) return arn;
  return std::string(kPrefix) + account + arn.substr(colon);
}

RoleSessions::RoleSessions(const Entities& entities, const IamChanges& changes, AccessKeys& keys)
    : entities_(entities), changes_(changes), keys_(keys) {}

std::string RoleSessions::session_name_of(std::string_view text) {
  std::string name(text.substr(0, kMostName));
  for (char& character : name) {
    if (!base::is_name_of(std::string_view(&character, 1), "_+=,.@-")) character = '-';
  }
  while (name.size() < 2) name += '-';
  return name;
}

std::shared_ptr<const RoleSessions::Role> RoleSessions::find(const std::string& arn) const {
  // Read before the tables are: what changes meanwhile makes the answer old.
  const std::uint64_t now = changes_.count();
  {
    const std::shared_lock lock(mutex_);
    const auto found = kept_.find(arn);
    if (found != kept_.end() && found->second.as_of == now) return found->second.role;
  }
  const auto entity =
      entities_.find_by_arn(EntityKind::role, own_role_arn(arn, entities_.account()));
  auto role =
      entity ? std::make_shared<const Role>(Role{
                   .id = entity->id,
                   .trust = policy::Document::parse(entity->trust, policy::DocumentKind::trust)})
             : nullptr;
  const std::unique_lock lock(mutex_);
  if (kept_.size() >= kMostKept) kept_.clear();
  kept_[arn] = {.as_of = now, .role = role};
  return role;
}

std::string RoleSessions::take(const RoleUse& use) const {
  const auto role = find(use.role_arn);
  if (!role) {
    throw Error(ErrorCode::permission_denied,
                "there is no role " + shown(use.role_arn) + " for " + std::string(use.service) +
                    " to assume: create it (aws iam create-role) or name another");
  }
  policy::Context keys;
  if (!use.source_arn.empty()) {
    keys.set("aws:sourcearn", use.source_arn);
    keys.set("aws:sourceaccount", entities_.account());
  }
  const auto decision =
      policy::decide(role->trust,
                     {.kind = policy::Asker::Kind::service,
                      .arn = std::string(use.service),
                      .role_arn = {},
                      .account = {}},
                     {.action = "sts:AssumeRole", .resource = use.role_arn, .context = keys});
  if (decision.verdict != policy::Verdict::allowed) {
    throw Error(ErrorCode::permission_denied,
                "the role " + shown(use.role_arn) + " is not authorized to be assumed by " +
                    std::string(use.service) +
                    ": its trust policy must allow sts:AssumeRole to this service");
  }
  return std::string(Principals::kRolePrefix) + role->id + "/" + session_name_of(use.session);
}

AccessKey RoleSessions::credentials(const RoleUse& use, std::chrono::seconds lifetime,
                                    const std::string& session_policy,
                                    const std::string& certificate) const {
  const std::string principal = take(use);
  if (lifetime > kLongest) {
    throw Error(ErrorCode::invalid_argument, "credentials of a role last at most 12 hours");
  }
  if (!session_policy.empty()) {
    (void)policy::Document::parse(session_policy, policy::DocumentKind::identity);
  }
  return keys_.create_session(principal, lifetime, session_policy, certificate);
}

}  // namespace andon::control
