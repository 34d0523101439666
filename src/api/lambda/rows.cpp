// SPDX-License-Identifier: Apache-2.0
#include "api/lambda/rows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {

std::vector<Operation> lambda_operations(LambdaParts parts) {
  const auto held = std::make_shared<const LambdaParts>(std::move(parts));
  std::vector<Operation> all;
  for (auto* part : {lambda::function_rows, lambda::invoke_rows, lambda::version_rows,
                     lambda::setting_rows, lambda::permission_rows, lambda::layer_rows}) {
    std::ranges::move(part(held), std::back_inserter(all));
  }
  return all;
}

}  // namespace andon::api

namespace andon::api::lambda {

using base::Error;
using base::ErrorCode;
using functions::Version;

Operation row(const Parts& parts, std::string_view name, std::string_view method,
              std::string_view path, int status, std::vector<MemberRule> rules, Work work) {
  return {
      "lambda",
      name,
      Protocol::rest_json,
      method,
      path,
      status,
      [parts, rules = std::move(rules), work = std::move(work)](const OperationContext& context) {
        check_members(context.input, rules);
        return work(*parts, context);
      }};
}

functions::FunctionRef read_ref(const json::object& input) {
  return functions::parse_function_ref(required_text(input, "FunctionName"),
                                       text_or_empty(input, "Qualifier"));
}

std::string read_name(const json::object& input) {
  const auto ref = functions::parse_function_ref(required_text(input, "FunctionName"));
  if (!ref.qualifier.empty() && ref.qualifier != functions::kLatest) {
    throw Error(ErrorCode::invalid_argument,
                "FunctionName: this operation is for $LATEST: leave the qualifier '" +
                    ref.qualifier + "' out");
  }
  return ref.name;
}

ListPage read_marker(const json::object& input) {
  constexpr std::int64_t kMost = 10'000;
  constexpr std::int64_t kPage = 50;
  ListPage page;
  if (const auto most = optional_number(input, "MaxItems")) {
    if (*most < 1 || *most > kMost) {
      throw Error(ErrorCode::invalid_argument, "MaxItems: must be from 1 to 10000");
    }
    page.limit = static_cast<std::size_t>(std::min(*most, kPage));
  }
  if (const std::string marker = text_or_empty(input, "Marker"); !marker.empty()) {
    const auto after = from_page_token(marker);
    if (!after) {
      throw Error(ErrorCode::invalid_argument, "Marker: is not one that this operation gave");
    }
    page.after = *after;
  }
  return page;
}

void put_marker(json::object& output, const std::optional<std::string>& next) {
  if (next) output["NextMarker"] = to_page_token(*next);
}

json::object describe(const LambdaParts& parts, const Version& version) {
  constexpr std::size_t kMillis = 23;  // "2026-11-29T12:00:00.000"
  json::object output{{"FunctionName", version.function},
                      {"FunctionArn", parts.functions.registry.arn(version)}};
  for (const auto& [member, value] : version.config) {
    if (member != functions::kImageMember) output[member] = value;
  }
  const auto sha256 = base::from_hex(version.code.sha256);
  output["CodeSize"] = version.code.bytes;
  output["CodeSha256"] = base::to_base64(sha256.value_or(std::string()));
  output["LastModified"] = base::to_iso8601(version.modified).substr(0, kMillis) + "+0000";
  output["Version"] = version.label();
  output["RevisionId"] = version.revision;
  output["State"] = version.state;
  put_unless_empty(output, "StateReason", version.state_reason);
  put_unless_empty(output, "StateReasonCode", version.state_reason_code);
  output["LastUpdateStatus"] = version.update_status;
  put_unless_empty(output, "LastUpdateStatusReason", version.update_reason);
  put_unless_empty(output, "LastUpdateStatusReasonCode", version.update_reason_code);
  return output;
}

}  // namespace andon::api::lambda
