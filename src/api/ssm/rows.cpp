// SPDX-License-Identifier: Apache-2.0
#include "api/ssm/rows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/named_refusals.hpp"
#include "control/parameters/rules.hpp"

namespace andon::api {
namespace ssm {
Operation row(const Service& service, std::string_view name, std::vector<MemberRule> rules,
              Work work) {
  return json_row(
      {"ssm"}, name, service,
      [work = std::move(work)](const Service& parts, const OperationContext& context) {
        return told_by_name([&] { return work(parts, context); });
      },
      std::move(rules));
}

MemberRule name_rule() {
  return text("Name", 1, 2048);
}

control::Reveal reveal_of(const json::object& input) {
  return flag(input, "WithDecryption") ? control::Reveal::opened : control::Reveal::sealed;
}

std::vector<MemberRule> with_page(std::vector<MemberRule> rules, std::int64_t most) {
  rules.push_back(number("MaxResults", 1, most));
  rules.push_back(text("NextToken", 0, 4096));
  return rules;
}

control::PageRequest read_page(const json::object& input, std::int64_t standard) {
  control::PageRequest page{
      .limit = static_cast<std::size_t>(optional_number(input, "MaxResults").value_or(standard))};
  const auto token = maybe_text(input, "NextToken");
  if (!token || token->empty()) return page;
  const auto after = from_page_token(*token);
  if (!after) throw ServiceError(400, "InvalidNextToken", "The specified token is not valid.");
  page.after = *after;
  return page;
}

void put_next(json::object& output, const std::optional<std::string>& next) {
  if (next) output["NextToken"] = to_page_token(*next);
}

json::object told(const Service& service, const control::Parameter& parameter,
                  std::string_view selector) {
  json::object told{{"Name", parameter.name},
                    {"Type", to_string(parameter.type)},
                    {"Value", parameter.value},
                    {"Version", parameter.version},
                    {"LastModifiedDate", base::to_epoch_seconds(parameter.modified)},
                    {"ARN", control::parameter_arn(service.arns, parameter.key)},
                    {"DataType", "text"}};
  put_unless_empty(told, "Selector", selector);
  return told;
}

json::object metadata(const control::Parameter& parameter) {
  json::object told{{"Name", parameter.name},
                    {"Type", to_string(parameter.type)},
                    {"LastModifiedDate", base::to_epoch_seconds(parameter.modified)},
                    {"LastModifiedUser", parameter.modified_by},
                    {"Version", parameter.version},
                    {"Tier", to_string(parameter.tier)},
                    {"Policies", json::array()},
                    {"DataType", "text"}};
  if (parameter.type == control::ParameterType::secure_string) {
    told["KeyId"] = control::kParameterKeyId;
  }
  put_unless_empty(told, "Description", parameter.description);
  put_unless_empty(told, "AllowedPattern", parameter.allowed_pattern);
  return told;
}

}  // namespace ssm

std::vector<Operation> ssm_operations(control::Parameters& parameters, const control::Iam& iam,
                                      const fleet::Arns& arns) {
  const ssm::Service service{parameters, iam, arns};
  std::vector<Operation> all;
  for (auto rows :
       {ssm::parameter_rows(service), ssm::list_rows(service), ssm::label_rows(service)}) {
    std::ranges::move(rows, std::back_inserter(all));
  }
  return all;
}

}  // namespace andon::api
