// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: rows with checked members, refusals in AWS's form, pages.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/constraints/constraints.hpp"
#include "api/states/states.hpp"
#include "api/table/members.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::api::states {

using workflow::Workflow;

struct Service {
  Workflow& workflow;
  const base::Clock& clock;
  StatesOptions options;
};

// One row: the members are checked, then `work` is called; a Refusal becomes its ServiceError.
using Work = std::function<json::value(const Service&, const json::object&)>;
[[nodiscard]] Operation row(const Service& service, std::string_view name,
                            std::vector<MemberRule> rules, Work work);
// The same for what answers later.
using LaterWork = std::function<void(const Service&, const json::object&, const Answer&)>;
[[nodiscard]] Operation row_later(const Service& service, std::string_view name,
                                  std::vector<MemberRule> rules, LaterWork work);

// `row`, for who may hand the role that `role_of` finds in the input to state machines
// (iam:PassRole). An empty role is none.
using RoleOf = std::function<std::string(const Service&, const json::object&)>;
[[nodiscard]] Operation with_pass_role(const Service& service, Operation row, RoleOf role_of);

// A failure of the engine as the API shows it.
[[nodiscard]] std::exception_ptr as_service_error(const std::exception_ptr& failure);

using rules::flag_rule;
using rules::fraction;
using rules::list_rule;
using rules::needed;
using rules::number;
using rules::object_rule;
using rules::secret;
using rules::text;
using rules::word;
// Rules that come again and again.
[[nodiscard]] MemberRule arn(std::string_view name, std::int64_t most = 256);
[[nodiscard]] MemberRule name_rule(std::string_view name = "name");
// maxResults and nextToken.
[[nodiscard]] std::vector<MemberRule> with_page(std::vector<MemberRule> rules,
                                                std::int64_t most_token = 1024);

// Page tokens are good for one operation and a day.
[[nodiscard]] workflow::PageOf read_page(const Service& service, std::string_view operation,
                                         const json::object& input);
void put_next(const Service& service, std::string_view operation, json::object& output,
              const std::optional<std::string>& after);

[[nodiscard]] std::map<std::string, std::string> read_tags(const json::object& input);
[[nodiscard]] double seconds(base::Timestamp time);

// The rows of each file.
[[nodiscard]] std::vector<Operation> machine_rows(const Service& service);
[[nodiscard]] std::vector<Operation> version_rows(const Service& service);
[[nodiscard]] std::vector<Operation> execution_rows(const Service& service);
[[nodiscard]] std::vector<Operation> task_rows(const Service& service);
[[nodiscard]] std::vector<Operation> map_run_rows(const Service& service);
[[nodiscard]] std::vector<Operation> definition_rows(const Service& service);
[[nodiscard]] std::vector<Operation> test_rows(const Service& service);
[[nodiscard]] std::vector<Operation> machine_state_rows(const Service& service);

}  // namespace andon::api::states
