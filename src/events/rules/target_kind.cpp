// SPDX-License-Identifier: Apache-2.0
#include "events/rules/target_kind.hpp"

#include <array>

namespace andon::events {
namespace {

struct Row {
  std::string_view service;
  std::string_view prefix;  // of the resource
  TargetKind kind;
};
constexpr std::array kRows = {
    Row{"states", "stateMachine:", TargetKind::state_machine},
    Row{"lambda", "function:", TargetKind::function},
    Row{"codebuild", "project/", TargetKind::build_project},
    Row{"logs", "log-group:", TargetKind::log_group},
    Row{"iot", "topic/", TargetKind::topic},
    Row{"events", "api-destination/", TargetKind::api_destination},
    Row{"events", "event-bus/", TargetKind::bus},
    Row{"andon", "mail/", TargetKind::mail},
    Row{"scheduler", "aws-sdk:", TargetKind::operation},
};

}  // namespace

std::optional<TargetRef> target_ref(std::string_view arn) {
  // arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE; of operations region and account are empty.
  std::array<std::string_view, 5> parts;
  for (std::string_view& part : parts) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    part = arn.substr(0, colon);
    arn.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn") return std::nullopt;
  for (const Row& row : kRows) {
    if (row.service != parts[2] || !arn.starts_with(row.prefix)) continue;
    std::string_view resource = arn.substr(row.prefix.size());
    if (row.kind == TargetKind::log_group && resource.ends_with(":*")) resource.remove_suffix(2);
    if (resource.empty()) return std::nullopt;
    return TargetRef{row.kind, std::string(resource)};
  }
  return std::nullopt;
}

bool needs_role(TargetKind kind) {
  return kind == TargetKind::state_machine || kind == TargetKind::build_project ||
         kind == TargetKind::api_destination || kind == TargetKind::operation;
}

bool may_be_dead_letter(TargetKind kind) {
  return kind == TargetKind::log_group || kind == TargetKind::topic;
}

}  // namespace andon::events
