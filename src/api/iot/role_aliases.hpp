// SPDX-License-Identifier: Apache-2.0
// Role aliases: CreateRoleAlias, DescribeRoleAlias, ListRoleAliases, UpdateRoleAlias,
// DeleteRoleAlias (service "iot"). Rows for the operation table; all that they are given must
// outlive them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/control_plane.hpp"
#include "control/iam/iam.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> role_alias_operations(control::RoleAliases& aliases,
                                                           const fleet::Arns& arns,
                                                           const Authorizer* authorizer);
// Credentials for a device that asks by an alias: nothing where there is no such alias. Throws
// permission_denied where the thing was not given it and no IoT policy of its certificate or groups
// allows iot:AssumeRoleWithCertificate on it, where one denies that, or where the role does not
// trust credentials.iot.amazonaws.com.
[[nodiscard]] std::optional<control::AccessKey> take_role_alias(
    const control::Iam& iam, const control::ControlPlane& control, const std::string& alias,
    const std::string& thing, const std::string& certificate);
// "arn:aws:iot:<region>:<account>:rolealias/<name>".
[[nodiscard]] std::string role_alias_arn(const fleet::Arns& arns, const std::string& name);

}  // namespace andon::api
