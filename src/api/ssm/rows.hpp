// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: rows with checked members, filters, pages, how a parameter is
// told.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/constraints/constraints.hpp"
#include "api/ssm/ssm.hpp"
#include "api/table/members.hpp"

namespace andon::api::ssm {

using rules::flag_rule;
using rules::list_rule;
using rules::needed;
using rules::number;
using rules::text;
using rules::word;

struct Service {
  control::Parameters& parameters;
  const control::Iam& iam;
  fleet::Arns arns;
};

using Work = std::function<json::value(const Service&, const OperationContext&)>;
// One row: the members are checked, then `work` is called; a NamedRefusal is told by its name.
[[nodiscard]] Operation row(const Service& service, std::string_view name,
                            std::vector<MemberRule> rules, Work work);

[[nodiscard]] MemberRule name_rule();
[[nodiscard]] control::Reveal reveal_of(const json::object& input);  // WithDecryption
// MaxResults and NextToken.
[[nodiscard]] std::vector<MemberRule> with_page(std::vector<MemberRule> rules, std::int64_t most);
[[nodiscard]] control::PageRequest read_page(const json::object& input, std::int64_t standard);
void put_next(json::object& output, const std::optional<std::string>& next);

// ParameterFilters. Throws InvalidFilterKey, InvalidFilterOption, InvalidFilterValue.
enum class FilterUse { describe, below };
[[nodiscard]] std::vector<control::ParameterFilter> read_filters(const json::object& input,
                                                                 FilterUse use);
// Filters, the older form of DescribeParameters.
[[nodiscard]] std::vector<control::ParameterFilter> read_old_filters(const json::object& input);

// With its value; with `selector` as it was asked for.
[[nodiscard]] json::object told(const Service& service, const control::Parameter& parameter,
                                std::string_view selector = {});
// Who changed it and how it is kept, of DescribeParameters and GetParameterHistory.
[[nodiscard]] json::object metadata(const control::Parameter& parameter);

// The rows of each file.
[[nodiscard]] std::vector<Operation> parameter_rows(const Service& service);
[[nodiscard]] std::vector<Operation> list_rows(const Service& service);
[[nodiscard]] std::vector<Operation> label_rows(const Service& service);

}  // namespace andon::api::ssm
