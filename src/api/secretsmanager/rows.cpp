// SPDX-License-Identifier: Apache-2.0
#include "api/secretsmanager/rows.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/named_refusals.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace secrets {
namespace {

using base::Error;
using base::ErrorCode;
using control::SecretFilter;

constexpr std::string_view kKeyId = "alias/aws/secretsmanager";
constexpr std::size_t kMostFilters = 10;
constexpr std::size_t kMostValues = 10;
constexpr std::size_t kMostValueBytes = 512;

constexpr std::array<std::pair<std::string_view, SecretFilter::Key>, 5> kKeys = {
    {{"description", SecretFilter::Key::description},
     {"name", SecretFilter::Key::name},
     {"tag-key", SecretFilter::Key::tag_key},
     {"tag-value", SecretFilter::Key::tag_value},
     {"all", SecretFilter::Key::all}}};

}  // namespace

Operation row(const Service& service, std::string_view name, std::vector<MemberRule> rules,
              Work work) {
  return json_row(
      {"secretsmanager"}, name, service,
      [work = std::move(work)](const Service& parts, const OperationContext& context) {
        return told_by_name([&] { return work(parts, context); });
      },
      std::move(rules));
}

MemberRule id_rule() {
  return needed(text("SecretId", 1, 2048));
}

std::string id_of(const json::object& input) {
  return *maybe_text(input, "SecretId");
}

std::vector<MemberRule> with_value(std::vector<MemberRule> rules) {
  constexpr auto kMost = static_cast<std::int64_t>(control::Secrets::kMostBytes);
  constexpr std::int64_t kMostBase64 = (kMost + 2) / 3 * 4;
  rules.push_back(secret("SecretString", kMost, 1));
  rules.push_back(secret("SecretBinary", kMostBase64, 1));
  rules.push_back(text("ClientRequestToken", 32, 64));
  rules.push_back(text("KmsKeyId", 0, 2048));
  return rules;
}

std::optional<control::SecretValue> read_value(const json::object& input) {
  auto as_text = maybe_text(input, "SecretString");
  const auto as_base64 = maybe_text(input, "SecretBinary");
  if (as_text && as_base64) {
    throw Error(ErrorCode::invalid_argument,
                "You can't specify both a binary secret value and a string secret value in the "
                "same secret.");
  }
  if (as_text) return control::SecretValue{*std::move(as_text), false};
  if (!as_base64) return std::nullopt;
  auto bytes = base::from_base64(*as_base64);
  if (!bytes) throw ServiceError(400, "SerializationException", "SecretBinary must be base64");
  return control::SecretValue{*std::move(bytes), true};
}

std::string read_token(const json::object& input) {
  auto token = maybe_text(input, "ClientRequestToken");
  return token ? *std::move(token) : base::random_uuid();
}

void refuse_other_key(const json::object& input) {
  const auto key = maybe_text(input, "KmsKeyId");
  if (key && !key->empty() && *key != kKeyId) {
    throw Error(ErrorCode::unsupported,
                "KmsKeyId: there is one key here, that of the server: leave it out, or give " +
                    std::string(kKeyId));
  }
}

std::vector<MemberRule> with_page(std::vector<MemberRule> rules, std::int64_t most) {
  rules.push_back(number("MaxResults", 1, most));
  rules.push_back(text("NextToken", 1, 4096));
  return rules;
}

control::PageRequest read_page(const json::object& input, std::int64_t standard) {
  control::PageRequest page{
      .limit = static_cast<std::size_t>(optional_number(input, "MaxResults").value_or(standard))};
  const auto token = maybe_text(input, "NextToken");
  if (!token) return page;
  const auto after = from_page_token(*token);
  if (!after) {
    throw ServiceError(400, "InvalidNextTokenException", "The NextToken value is invalid.");
  }
  page.after = *after;
  return page;
}

void put_next(json::object& output, const std::optional<std::string>& next) {
  if (next) output["NextToken"] = to_page_token(*next);
}

std::vector<SecretFilter> read_filters(const json::object& input) {
  const auto readers = base::JsonReader(input, "", {.separator = ": "}).children("Filters");
  if (readers.size() > kMostFilters) {
    throw Error(ErrorCode::invalid_argument, "Filters: at most 10");
  }
  std::vector<SecretFilter> filters;
  for (const base::JsonReader& reader : readers) {
    const auto key = reader.choice("Key", kKeys);
    if (!key) reader.fail("Key", "is missing");
    SecretFilter filter{*key, reader.strings("Values", kMostValues + 1)};
    const bool fits = !filter.values.empty() && filter.values.size() <= kMostValues &&
                      std::ranges::all_of(filter.values, [](const std::string& value) {
                        return value.size() <= kMostValueBytes;
                      });
    if (!fits) reader.fail("Values", "must be 1 to 10 texts of at most 512 characters");
    filters.push_back(std::move(filter));
  }
  return filters;
}

json::object told(const control::SecretChange& change) {
  json::object told{{"ARN", change.arn}, {"Name", change.name}};
  put_unless_empty(told, "VersionId", change.version_id);
  if (!change.stages.empty()) told["VersionStages"] = to_array(change.stages);
  return told;
}

json::object told(const control::SecretContent& content) {
  json::object told{{"ARN", content.arn},
                    {"Name", content.name},
                    {"VersionId", content.version.id},
                    {"CreatedDate", base::to_epoch_seconds(content.version.created)}};
  if (!content.version.stages.empty()) told["VersionStages"] = to_array(content.version.stages);
  if (content.value.is_binary) {
    told["SecretBinary"] = base::to_base64(content.value.bytes);
  } else {
    told["SecretString"] = content.value.bytes;
  }
  return told;
}

}  // namespace secrets

std::vector<Operation> secretsmanager_operations(control::Secrets& secrets,
                                                 const Authorizer& authorizer) {
  const secrets::Service service{secrets, authorizer};
  std::vector<Operation> all;
  for (auto rows :
       {secrets::secret_rows(service), secrets::value_rows(service), secrets::list_rows(service)}) {
    std::ranges::move(rows, std::back_inserter(all));
  }
  all.push_back(secrets::password_row(service));
  return all;
}

}  // namespace andon::api
