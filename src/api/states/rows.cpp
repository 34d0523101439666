// SPDX-License-Identifier: Apache-2.0
#include "api/states/rows.hpp"

#include <iterator>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/internal_call.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace states {
namespace {

constexpr std::string_view kService = "states";
constexpr std::chrono::hours kTokenLife{24};
constexpr std::size_t kStandardPage = 100;

workflow::Refusal invalid_page_token() {
  return {"InvalidToken", "Invalid Token: 'Invalid token'"};
}

[[noreturn]] void throw_as_service_error(const workflow::Refusal& refusal) {
  throw ServiceError(400, refusal.code(), refusal.message(), refusal.reason());
}

}  // namespace

std::exception_ptr as_service_error(const std::exception_ptr& failure) {
  try {
    try {
      std::rethrow_exception(failure);
    } catch (const workflow::Refusal& refusal) {
      throw_as_service_error(refusal);
    }
  } catch (...) {
    return std::current_exception();
  }
}

Operation row(const Service& service, std::string_view name, std::vector<MemberRule> rules,
              Work work) {
  return json_row(
      {kService, Protocol::aws_json_1_0}, name, service,
      [work = std::move(work)](const Service& parts, const OperationContext& context) {
        try {
          return work(parts, context.input);
        } catch (const workflow::Refusal& refusal) {
          throw_as_service_error(refusal);
        }
      },
      std::move(rules));
}

Operation row_later(const Service& service, std::string_view name, std::vector<MemberRule> rules,
                    LaterWork work) {
  Operation made{kService, name, Protocol::aws_json_1_0, "", "", 200, nullptr};
  made.later = [service, rules = std::move(rules), work = std::move(work)](
                   const OperationContext& context, const Answer& answer) {
    check_members(context.input, rules);
    try {
      work(service, context.input, answer);
    } catch (const workflow::Refusal& refusal) {
      throw_as_service_error(refusal);
    }
  };
  return made;
}

Operation with_pass_role(const Service& service, Operation row, RoleOf role_of) {
  const auto check = [service, role_of = std::move(role_of)](const OperationContext& context) {
    std::string role;
    try {
      role = role_of(service, context.input);
    } catch (const workflow::Refusal& refusal) {
      throw_as_service_error(refusal);
    }
    if (role.empty()) return;
    require_pass_role(service.options.authorizer, context.caller, Protocol::aws_json_1_0, role,
                      control::kStatesService);
  };
  if (row.later) {
    row.later = [check, later = std::move(row.later)](const OperationContext& context,
                                                      const Answer& answer) {
      check(context);
      later(context, answer);
    };
    return row;
  }
  row.handler = [check, handler = std::move(row.handler)](const OperationContext& context) {
    check(context);
    return handler(context);
  };
  return row;
}

MemberRule arn(std::string_view name, std::int64_t most) {
  return text(name, 1, most);
}
MemberRule name_rule(std::string_view name) {
  return text(name, 1, 80);
}

std::vector<MemberRule> with_page(std::vector<MemberRule> rules, std::int64_t most_token) {
  rules.push_back(number("maxResults", 0, 1000));
  rules.push_back(text("nextToken", 1, most_token));
  return rules;
}

workflow::PageOf read_page(const Service& service, std::string_view operation,
                           const json::object& input) {
  workflow::PageOf page;
  const auto most = optional_number(input, "maxResults").value_or(0);
  page.limit = most == 0 ? kStandardPage : static_cast<std::size_t>(most);
  const auto token = maybe_text(input, "nextToken");
  if (!token) return page;
  const auto decoded = base::from_base64url(*token);
  if (!decoded) throw invalid_page_token();
  const std::size_t first = decoded->find('|');
  const std::size_t second = decoded->find('|', first + 1);
  if (first == std::string::npos || second == std::string::npos ||
      decoded->substr(0, first) != operation) {
    throw invalid_page_token();
  }
  const auto until =
      base::parse_int64(std::string_view(*decoded).substr(first + 1, second - first - 1));
  if (!until || *until < base::to_epoch_millis(service.clock.now())) throw invalid_page_token();
  page.after = decoded->substr(second + 1);
  if (page.after.empty()) throw invalid_page_token();
  return page;
}

void put_next(const Service& service, std::string_view operation, json::object& output,
              const std::optional<std::string>& after) {
  if (!after) return;
  const std::int64_t until = base::to_epoch_millis(service.clock.now() + kTokenLife);
  output["nextToken"] =
      base::to_base64url(std::string(operation) + "|" + std::to_string(until) + "|" + *after);
}

std::map<std::string, std::string> read_tags(const json::object& input) {
  std::map<std::string, std::string> tags;
  const auto* list = input.if_contains("tags");
  if (list == nullptr || list->is_null()) return tags;
  for (const json::value& one : list->as_array()) {
    if (!one.is_object()) {
      throw ServiceError(400, "SerializationException", "a tag must be an object");
    }
    const json::object& tag = one.get_object();
    check_members(tag, {needed(text("key", 1, 128)), text("value", 0, 256)});
    tags[std::string(tag.at("key").as_string())] = maybe_text(tag, "value").value_or("");
  }
  if (tags.size() > 50) {
    throw workflow::Refusal("TooManyTags", "A resource may have at most 50 tags");
  }
  return tags;
}

double seconds(base::Timestamp time) {
  return base::to_epoch_seconds(time);
}

}  // namespace states

std::vector<Operation> states_operations(workflow::Workflow& workflow, const base::Clock& clock,
                                         const StatesOptions& options) {
  const states::Service service{workflow, clock, options};
  std::vector<Operation> all;
  for (auto rows : {states::machine_rows(service), states::version_rows(service),
                    states::execution_rows(service), states::task_rows(service),
                    states::map_run_rows(service), states::definition_rows(service),
                    states::test_rows(service), states::machine_state_rows(service)}) {
    std::ranges::move(rows, std::back_inserter(all));
  }
  return all;
}

}  // namespace andon::api
