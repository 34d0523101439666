// SPDX-License-Identifier: Apache-2.0
// The parts that iam_operations() is put together from, and what they share. Pure but for what the
// rows do; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/table/members.hpp"
#include "api/table/operation.hpp"
#include "base/json/json.hpp"
#include "control/audit/audit_log.hpp"
#include "control/iam/iam.hpp"
#include "policy/language/document.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> user_operations(control::Iam& iam);
[[nodiscard]] std::vector<Operation> access_key_operations(control::Iam& iam,
                                                           const control::AuditLog* audit);
[[nodiscard]] std::vector<Operation> group_operations(control::Iam& iam);
[[nodiscard]] std::vector<Operation> role_operations(control::Iam& iam);
[[nodiscard]] std::vector<Operation> policy_operations(control::Iam& iam);
[[nodiscard]] std::vector<Operation> held_policy_operations(control::Iam& iam);
[[nodiscard]] std::vector<Operation> oidc_operations(control::Iam& iam);
[[nodiscard]] std::vector<Operation> simulation_operations(control::Iam& iam);

using IamWork = std::function<json::value(control::Iam&, const OperationContext&)>;
[[nodiscard]] Operation iam_row(control::Iam& iam, std::string_view name, IamWork work);

// A time as XML has it.
[[nodiscard]] std::string iam_time(base::Timestamp time);
// A document as IAM answers it: percent-encoded.
[[nodiscard]] std::string encoded_document(const std::string& document);
// A member that is a policy; throws ServiceError(MalformedPolicyDocument).
[[nodiscard]] std::string read_document(const json::object& input, std::string_view key,
                                        policy::DocumentKind kind);
[[nodiscard]] std::string path_or_root(const json::object& input, std::string_view key);

// MaxItems and Marker.
[[nodiscard]] control::PageRequest read_iam_page(const json::object& input);
void put_marker(json::object& output, const std::optional<std::string>& next);

// "UserName", "GroupName", "RoleName".
[[nodiscard]] std::string_view name_member(control::EntityKind kind);
[[nodiscard]] json::object describe_entity(const control::Entity& entity);
// A page of them under `member`, with its marker.
[[nodiscard]] json::object entity_page(std::string_view member,
                                       const control::Page<control::Entity>& found);
// A user or group: NewUserName or NewGroupName, and NewPath, where they are there.
void rename_entity(control::Iam& iam, control::EntityKind kind, const json::object& input);

}  // namespace andon::api
