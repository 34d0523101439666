// SPDX-License-Identifier: Apache-2.0
// Parameters below a path, described, and their history.
#include "api/ssm/rows.hpp"
#include "base/error/error.hpp"
#include "control/parameters/rules.hpp"

namespace andon::api::ssm {
namespace {

constexpr std::int64_t kPathPage = 10;
constexpr std::int64_t kDescribePage = 50;
constexpr std::int64_t kHistoryPage = 50;

json::value by_path(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  const auto page = service.parameters.below(
      *maybe_text(input, "Path"),
      flag(input, "Recursive") ? control::Parameters::Depth::recursive
                               : control::Parameters::Depth::one_level,
      read_filters(input, FilterUse::below), read_page(input, kPathPage), reveal_of(input));
  json::array found;
  for (const auto& parameter : page.items) found.push_back(told(service, parameter));
  json::object output{{"Parameters", std::move(found)}};
  put_next(output, page.next);
  return output;
}

json::value describe(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  auto filters = read_filters(input, FilterUse::describe);
  const auto old = read_old_filters(input);
  if (!filters.empty() && !old.empty()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "You can use either Filters or ParameterFilters in a single request.");
  }
  filters.insert(filters.end(), old.begin(), old.end());
  const auto page = service.parameters.describe(filters, read_page(input, kDescribePage));
  json::array found;
  for (const auto& parameter : page.items) {
    json::object one = metadata(parameter);
    one["ARN"] = control::parameter_arn(service.arns, parameter.key);
    found.push_back(std::move(one));
  }
  json::object output{{"Parameters", std::move(found)}};
  put_next(output, page.next);
  return output;
}

json::value history(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  const auto page = service.parameters.history(*maybe_text(input, "Name"),
                                               read_page(input, kHistoryPage), reveal_of(input));
  json::array found;
  for (const auto& parameter : page.items) {
    json::object one = metadata(parameter);
    one["Value"] = parameter.value;
    one["Labels"] = to_array(parameter.labels);
    found.push_back(std::move(one));
  }
  json::object output{{"Parameters", std::move(found)}};
  put_next(output, page.next);
  return output;
}

}  // namespace

std::vector<Operation> list_rows(const Service& service) {
  const MemberRule filters = list_rule("ParameterFilters", 0, 50);
  const MemberRule with_decryption = flag_rule("WithDecryption");
  return {row(service, "GetParametersByPath",
              with_page(
                  {needed(text("Path", 1, 2048)), flag_rule("Recursive"), filters, with_decryption},
                  kPathPage),
              by_path),
          row(service, "DescribeParameters",
              with_page({list_rule("Filters", 0, 50), filters}, kDescribePage), describe),
          row(service, "GetParameterHistory",
              with_page({needed(name_rule()), with_decryption}, kHistoryPage), history)};
}

}  // namespace andon::api::ssm
