// SPDX-License-Identifier: Apache-2.0
#include "control/iam/principals.hpp"

#include <mutex>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "control/iam/policies.hpp"
#include "control/identity/access_keys.hpp"
#include "control/shared/tags.hpp"

namespace andon::control {
namespace {

using policy::Verdict;

// Kept for later; more than these, and all are worked out anew.
constexpr std::size_t kMostKept = 20'000;
constexpr std::size_t kMostDocumentBytes = 32U << 20U;

// "AROA.../eva" -> {"AROA...", "eva"}; of a user, the second is empty.
std::pair<std::string_view, std::string_view> parts_of(std::string_view principal) {
  principal.remove_prefix(Principals::kUserPrefix.size());
  const std::size_t slash = principal.find('/');
  if (slash == std::string_view::npos) return {principal, {}};
  return {principal.substr(0, slash), principal.substr(slash + 1)};
}

static_assert(Principals::kUserPrefix.size() == Principals::kRolePrefix.size());

bool is_of_iam(std::string_view principal) {
  return principal.starts_with(Principals::kUserPrefix) ||
         principal.starts_with(Principals::kRolePrefix);
}

}  // namespace

std::string explain(const Ruling& ruling, std::string_view action) {
  const std::string kind =
      ruling.by == Ruling::By::session ? "session policy" : "identity-based policy";
  switch (ruling.decision.verdict) {
    case Verdict::denied_explicitly:
      return "with an explicit deny in " +
             std::string(ruling.by == Ruling::By::session ? "a " : "an ") + kind;
    case Verdict::denied_implicitly:
      return "because no " + kind + " allows the " + std::string(action) + " action";
    case Verdict::allowed:
      break;
  }
  return "and is allowed";
}

Principals::Principals(store::Database& database, const Entities& entities,
                       const IamChanges& changes)
    : database_(database), entities_(entities), changes_(changes) {}

std::shared_ptr<const policy::Document> Principals::compiled(const std::string& text) const {
  {
    const std::shared_lock lock(mutex_);
    const auto found = documents_.find(text);
    if (found != documents_.end()) return found->second;
  }
  auto document = std::make_shared<const policy::Document>(
      policy::Document::parse(text, policy::DocumentKind::identity));
  const std::unique_lock lock(mutex_);
  if (document_bytes_ + text.size() > kMostDocumentBytes) {
    documents_.clear();
    document_bytes_ = 0;
  }
  if (documents_.emplace(text, document).second) document_bytes_ += text.size();
  return document;
}

std::vector<std::shared_ptr<const policy::NamedPolicy>> Principals::read_policies(
    store::Transaction& tx, const Entity& entity) const {
  std::vector<std::shared_ptr<const policy::NamedPolicy>> policies;
  const auto add = [&](const Entity& holder) {
    for (const Policies::Held& held : Policies::held_by(tx, holder.id)) {
      policies.push_back(std::make_shared<policy::NamedPolicy>(
          policy::NamedPolicy{.name = held.name,
                              .source = std::string(to_string(holder.kind)) + " " + holder.name,
                              .document = compiled(held.document)}));
    }
  };
  add(entity);
  if (entity.kind == EntityKind::user) {
    for (const Entity& group : entities_.groups_of(tx, entity.id)) add(group);
  }
  return policies;
}

std::shared_ptr<const Grants> Principals::read_grants(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) -> std::shared_ptr<const Grants> {
    const auto entity = entities_.find_by_id(tx, id);
    if (!entity || entity->kind == EntityKind::group) return nullptr;
    auto grants = std::make_shared<Grants>();
    grants->entity = *entity;
    for (const store::Row& row :
         tx.query("SELECT tag_key, tag_value FROM tags WHERE arn = $1", {id})) {
      grants->tags.emplace(row.text(0), row.text(1));
    }
    grants->policies = policy::PolicySet(read_policies(tx, *entity));
    return grants;
  });
}

std::shared_ptr<const Grants> Principals::grants_of(std::string_view id) const {
  const std::string key(id);
  // Read before the tables are: what changes meanwhile makes the answer old.
  const std::uint64_t now = changes_.count();
  {
    const std::shared_lock lock(mutex_);
    const auto found = kept_.find(key);
    if (found != kept_.end() && found->second.as_of == now) return found->second.grants;
  }
  auto grants = read_grants(key);
  const std::unique_lock lock(mutex_);
  if (kept_.size() >= kMostKept) kept_.clear();
  kept_[key] = {.as_of = now, .grants = grants};
  return grants;
}

Principal Principals::as_principal(const Grants& grants, std::string_view session) const {
  const Entity& entity = grants.entity;
  if (entity.kind == EntityKind::user) {
    return {.kind = Principal::Kind::user,
            .arn = entity.arn,
            .user_id = entity.id,
            .name = entity.name,
            .entity = entity};
  }
  return {.kind = Principal::Kind::role_session,
          .arn = "arn:aws:sts::" + entities_.account() + ":assumed-role/" + entity.name + "/" +
                 std::string(session),
          .user_id = entity.id + ":" + std::string(session),
          .name = entity.name,
          .entity = entity};
}

std::optional<Principal> Principals::find(std::string_view principal) const {
  if (principal == kOperatorPrincipal) {
    return Principal{.kind = Principal::Kind::account,
                     .arn = "arn:aws:iam::" + entities_.account() + ":root",
                     .user_id = entities_.account(),
                     .name = {},
                     .entity = {}};
  }
  if (!is_of_iam(principal)) return std::nullopt;
  const auto [id, session] = parts_of(principal);
  const auto grants = grants_of(id);
  if (!grants) return std::nullopt;
  return as_principal(*grants, session);
}

void Principals::add_keys(const Principal& principal,
                          const std::map<std::string, std::string>& tags,
                          policy::Context& context) const {
  const bool is_session = principal.kind == Principal::Kind::role_session;
  context.set("aws:principalaccount", entities_.account());
  context.set("aws:userid", principal.user_id);
  context.set("aws:principalarn", is_session ? principal.entity.arn : principal.arn);
  context.set("aws:principaltype", principal.kind == Principal::Kind::account ? "Account"
                                   : is_session                               ? "AssumedRole"
                                                                              : "User");
  if (principal.kind == Principal::Kind::user) context.set("aws:username", principal.name);
  for (const auto& [key, value] : tags) context.set("aws:principaltag/" + key, value);
}

void Principals::add_keys(std::string_view principal, policy::Context& context) const {
  const auto found = find(principal);
  if (!found) return;
  const auto grants = is_of_iam(principal) ? grants_of(parts_of(principal).first) : nullptr;
  add_keys(*found, grants ? grants->tags : std::map<std::string, std::string>{}, context);
}

Ruling Principals::decide(std::string_view principal, const std::string& session_policy,
                          std::string_view action, std::string_view resource,
                          policy::Context context) const {
  if (principal == kOperatorPrincipal && session_policy.empty()) {
    return {.by = Ruling::By::account, .decision = {.verdict = Verdict::allowed}};
  }
  if (!is_of_iam(principal)) return {};
  const auto [id, session] = parts_of(principal);
  const auto grants = grants_of(id);
  if (!grants) return {};
  add_keys(as_principal(*grants, session), grants->tags, context);
  const policy::Request request{action, resource, context};
  Ruling ruling{.by = Ruling::By::identity, .decision = grants->policies.decide(request)};
  if (!ruling.is_allowed() || session_policy.empty()) return ruling;
  const policy::PolicySet of_session({std::make_shared<policy::NamedPolicy>(policy::NamedPolicy{
      .name = "session policy", .source = "session", .document = compiled(session_policy)})});
  policy::Decision narrowed = of_session.decide(request);
  if (narrowed.is_allowed()) return ruling;
  return {.by = Ruling::By::session, .decision = std::move(narrowed)};
}

policy::PolicySet Principals::policies_of(const Entity& entity,
                                          const std::vector<std::string>& further) const {
  auto policies = database_.read([&](store::Transaction& tx) { return read_policies(tx, entity); });
  for (std::size_t i = 0; i < further.size(); ++i) {
    policies.push_back(std::make_shared<policy::NamedPolicy>(
        policy::NamedPolicy{.name = "PolicyInputList." + std::to_string(i + 1),
                            .source = "none",
                            .document = compiled(further[i])}));
  }
  return policy::PolicySet(std::move(policies));
}

}  // namespace andon::control
