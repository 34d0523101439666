// SPDX-License-Identifier: Apache-2.0
#include "api/logs/rows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/constraints/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace logs {
namespace {

constexpr std::string_view kInvalid = "InvalidParameterException";

}  // namespace

Operation row(const Service& service, std::string_view name, std::vector<MemberRule> rules,
              Work work) {
  return json_row(
      {.name = "logs", .invalid = kInvalid}, name, service,
      [work = std::move(work)](const Service& parts, const OperationContext& context) {
        return work(parts, context.input);
      },
      std::move(rules));
}

MemberRule group_rule() {
  return text("logGroupName", 1, 512);
}
MemberRule stream_rule() {
  return text("logStreamName", 1, 512);
}

std::vector<MemberRule> with_group(std::vector<MemberRule> rules) {
  rules.push_back(group_rule());
  rules.push_back(text("logGroupIdentifier", 1, 2048));
  return rules;
}

std::string read_group(const json::object& input) {
  const auto name = maybe_text(input, "logGroupName");
  const auto identifier = maybe_text(input, "logGroupIdentifier");
  if (name.has_value() == identifier.has_value()) {
    throw ServiceError(400, std::string(kInvalid),
                       "exactly one of logGroupName and logGroupIdentifier must be given");
  }
  if (name) return *name;
  return identifier->starts_with("arn:") ? read_group_arn(input, "logGroupIdentifier")
                                         : *identifier;
}

std::string read_group_arn(const json::object& input, std::string_view key) {
  const std::string arn = maybe_text(input, key).value_or("");
  const auto ref = fleet::parse_log_group_arn(arn);
  if (!ref) {
    throw ServiceError(400, std::string(kInvalid),
                       std::string(key) + ": '" + arn + "' is not the ARN of a log group");
  }
  return ref->name;
}

std::vector<MemberRule> with_page(std::vector<MemberRule> rules, std::int64_t most) {
  rules.push_back(number("limit", 1, most));
  rules.push_back(text("nextToken", 1, 4096));
  return rules;
}

std::string read_token(const json::object& input) {
  const auto token = maybe_text(input, "nextToken");
  if (!token) return "";
  const auto read = from_page_token(*token);
  if (!read) {
    throw ServiceError(400, std::string(kInvalid), "The specified nextToken is invalid.");
  }
  return *read;
}

control::PageRequest read_page(const json::object& input, std::size_t standard) {
  const auto limit = optional_number(input, "limit");
  return {.limit = limit ? static_cast<std::size_t>(*limit) : standard, .after = read_token(input)};
}

std::vector<std::string> read_texts(const json::object& input, std::string_view key) {
  std::vector<std::string> texts;
  const auto* list = input.if_contains(key);
  if (list == nullptr || list->is_null()) return texts;
  for (const json::value& one : list->as_array()) {
    if (!one.is_string()) {
      throw ServiceError(400, "SerializationException",
                         "the items of '" + std::string(key) + "' must be strings");
    }
    texts.emplace_back(one.get_string());
  }
  return texts;
}

}  // namespace logs

std::vector<Operation> logs_operations(control::Logs& logs, const fleet::Arns& arns) {
  const logs::Service service{logs, arns};
  std::vector<Operation> all;
  for (auto rows :
       {logs::group_rows(service), logs::stream_rows(service), logs::event_rows(service)}) {
    std::ranges::move(rows, std::back_inserter(all));
  }
  return all;
}

}  // namespace andon::api
