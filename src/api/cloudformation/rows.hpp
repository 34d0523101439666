// SPDX-License-Identifier: Apache-2.0
// The parts that cloudformation_operations() is put together from, and what they share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/cloudformation/cloudformation.hpp"
#include "api/table/members.hpp"
#include "api/table/operation.hpp"
#include "control/stacks/stacks.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> stack_operations(const CloudFormationParts& parts);
[[nodiscard]] std::vector<Operation> stack_resource_operations(const CloudFormationParts& parts);
[[nodiscard]] std::vector<Operation> template_operations(const CloudFormationParts& parts);
[[nodiscard]] std::vector<Operation> change_set_operations(const CloudFormationParts& parts);
[[nodiscard]] std::vector<Operation> andon_stack_operations(const CloudFormationParts& parts);

using StackCall = std::function<json::value(const CloudFormationParts&, const OperationContext&)>;
[[nodiscard]] Operation stack_row(const CloudFormationParts& parts, std::string_view name,
                                  StackCall work);

// "Stack with id X does not exist", as a ValidationError.
[[nodiscard]] control::Stack require_stack(const CloudFormationParts& parts,
                                           const std::string& name);
// TemplateBody, or what TemplateURL names, read as the caller; nothing where neither is given.
[[nodiscard]] std::optional<std::string> read_template_text(const CloudFormationParts& parts,
                                                            const OperationContext& context);
// What is asked for, with what the stack `there` has where UsePreviousTemplate and UsePreviousValue
// say so. Parameters that are not named get their default.
[[nodiscard]] StackWish read_wish(const CloudFormationParts& parts, const OperationContext& context,
                                  const std::optional<control::Stack>& there);

[[nodiscard]] std::string stack_time(base::Timestamp time);
[[nodiscard]] control::PageRequest stack_page(const json::object& input, std::size_t limit);
void put_stack_page(json::object& output, const std::optional<std::string>& next);
// [{ParameterKey, ParameterValue}], those with NoEcho hidden.
[[nodiscard]] json::array parameter_list(const control::Stack& stack);

}  // namespace andon::api
