// SPDX-License-Identifier: Apache-2.0
#include "edge/shadows/sync_plan.hpp"

#include <utility>

namespace andon::edge {
namespace {

using Act = SyncPlan::Act;
namespace json = base::json;

const json::object kNone;

bool is_same(const json::value* one, const json::value* other) {
  if (one == nullptr || other == nullptr) return one == other;
  return *one == *other;
}

const json::object* object_of(const json::value* value) {
  return value == nullptr ? nullptr : value->if_object();
}

// The member that both shall have; null: none.
void merge_member(json::object& merged, std::string_view key, const json::value* before,
                  const json::value* own, const json::value* server) {
  const json::value* wanted = server;
  if (is_same(server, before)) wanted = own;
  const bool both_changed = !is_same(own, before) && !is_same(server, before);
  if (both_changed && object_of(own) != nullptr && object_of(server) != nullptr) {
    const json::object* const known = object_of(before);
    merged[key] =
        merge_states(known != nullptr ? *known : kNone, *object_of(own), *object_of(server));
    return;
  }
  if (wanted != nullptr) merged[key] = *wanted;
}

void put_patches(SyncPlan& plan, const json::object& wanted, const json::object* own,
                 const json::object* server) {
  plan.device_patch = fleet::patch_between(own != nullptr ? *own : kNone, wanted);
  plan.server_patch = fleet::patch_between(server != nullptr ? *server : kNone, wanted);
  if (own == nullptr || !plan.device_patch.empty()) plan.on_device = Act::update;
  if (server == nullptr || !plan.server_patch.empty()) plan.on_server = Act::update;
  plan.state = wanted;
}

}  // namespace

json::object merge_states(const json::object& before, const json::object& own,
                          const json::object& server) {
  json::object merged;
  const auto take = [&](std::string_view key) {
    merge_member(merged, key, before.if_contains(key), own.if_contains(key),
                 server.if_contains(key));
  };
  for (const auto& [key, value] : server) take(key);
  for (const auto& [key, value] : own) {
    if (!server.contains(key)) take(key);
  }
  return merged;
}

SyncPlan plan_sync(const std::optional<SyncedShadow>& synced,
                   const std::optional<fleet::Shadow>& own,
                   const std::optional<ServerShadow>& server, SyncDirection direction) {
  const json::object* const mine = own && !own->is_deleted ? &own->state : nullptr;
  const json::object* const theirs = server ? &server->state : nullptr;
  SyncPlan plan;
  if (mine == nullptr && theirs == nullptr) return plan;
  if (direction == SyncDirection::to_server) {
    if (mine != nullptr) {
      put_patches(plan, *mine, mine, theirs);
    } else if (synced) {
      plan.on_server = Act::remove;
    } else {  // it never was the device's
      plan.state = *theirs;
    }
    return plan;
  }
  if (direction == SyncDirection::to_device) {
    if (theirs != nullptr) {
      put_patches(plan, *theirs, mine, theirs);
    } else if (synced) {
      plan.on_device = Act::remove;
    } else {
      plan.state = *mine;
    }
    return plan;
  }
  if (mine == nullptr) {
    // Deleted here, and not changed there since.
    if (synced && synced->server_version == server->version) {
      plan.on_server = Act::remove;
    } else {
      put_patches(plan, *theirs, mine, theirs);
    }
    return plan;
  }
  if (theirs == nullptr) {
    if (synced) {
      plan.on_device = Act::remove;
    } else {
      put_patches(plan, *mine, mine, theirs);
    }
    return plan;
  }
  put_patches(plan, merge_states(synced ? synced->state : kNone, *mine, *theirs), mine, theirs);
  return plan;
}

}  // namespace andon::edge
