// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: rows with checked members, how a group is named, pages.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/constraints/constraints.hpp"
#include "api/logs/logs.hpp"
#include "api/table/members.hpp"

namespace andon::api::logs {

using rules::flag_rule;
using rules::list_rule;
using rules::needed;
using rules::number;
using rules::object_rule;
using rules::text;
using rules::word;

struct Service {
  control::Logs& logs;
  fleet::Arns arns;
};

using Work = std::function<json::value(const Service&, const json::object&)>;
// One row: the members are checked, then `work` is called.
[[nodiscard]] Operation row(const Service& service, std::string_view name,
                            std::vector<MemberRule> rules, Work work);

[[nodiscard]] MemberRule group_rule();   // logGroupName
[[nodiscard]] MemberRule stream_rule();  // logStreamName
// logGroupName, or logGroupIdentifier: a name or an ARN.
[[nodiscard]] std::vector<MemberRule> with_group(std::vector<MemberRule> rules);
[[nodiscard]] std::string read_group(const json::object& input);
// The group that an ARN names.
[[nodiscard]] std::string read_group_arn(const json::object& input, std::string_view key);

// limit and nextToken.
[[nodiscard]] std::vector<MemberRule> with_page(std::vector<MemberRule> rules, std::int64_t most);
[[nodiscard]] control::PageRequest read_page(const json::object& input, std::size_t standard);
// The text of nextToken; throws InvalidParameterException for one that no list has given.
[[nodiscard]] std::string read_token(const json::object& input);

[[nodiscard]] std::vector<std::string> read_texts(const json::object& input, std::string_view key);

// The rows of each file.
[[nodiscard]] std::vector<Operation> group_rows(const Service& service);
[[nodiscard]] std::vector<Operation> stream_rows(const Service& service);
[[nodiscard]] std::vector<Operation> event_rows(const Service& service);

}  // namespace andon::api::logs
