// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "api/featurestore/rows.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api::featurestore {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
using features::Deletion;
using features::FeatureGroup;
using features::FeatureValues;

constexpr base::JsonReading kReading{.separator = ": "};
constexpr std::size_t kMostIdentifiers = 100;  // groups of one BatchGetRecord
constexpr std::size_t kMostRecords = 100;      // of one group
constexpr std::size_t kMostNames = 1'000;
constexpr std::uint64_t kMostBody = 2U << 20U;  // of 350 KiB, escaped

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, "Validation Error: " + problem);
}

// A list in the body, or one or more of the query.
std::vector<std::string> texts(const json::object& input, std::string_view key) {
  const auto* value = input.if_contains(key);
  if (value != nullptr && value->is_string()) return {std::string(value->get_string())};
  auto list = text_list(input, key);
  if (list.size() > kMostNames) refuse(std::string(key) + " has too many items");
  return list;
}

features::TargetStores read_stores(const json::object& input) {
  features::TargetStores stores;
  for (const std::string& one : texts(input, "TargetStores")) {
    if (one == "OnlineStore") {
      stores.online = true;
    } else if (one == "OfflineStore") {
      stores.offline = true;
    } else {
      refuse("TargetStores must be of OnlineStore and OfflineStore");
    }
  }
  return stores;
}

json::value put(const FeatureStoreParts& parts, const OperationContext& context) {
  const JsonReader reader(context.input, "", kReading);
  FeatureValues values;
  for (const JsonReader& one : reader.children("Record")) {
    if (one.has("ValueAsStringList")) {
      refuse("ValueAsStringList is for collections, which this server does not support");
    }
    values.emplace_back(one.required_text("FeatureName"), one.string("ValueAsString"));
  }
  if (values.empty()) refuse("Record must have at least one feature");
  parts.features.records.put(read_group_name(context.input), values, read_stores(context.input),
                             read_time_to_live(context.input));
  return nullptr;
}

bool tells_expiration(const json::object& input) {
  return word_or_empty(input, "ExpirationTimeResponse", {"Enabled", "Disabled"}) == "Enabled";
}

json::object told(const features::OnlineRecord& record, bool with_expiration) {
  json::array values;
  for (const auto& [name, text] : record.values) {
    values.push_back(json::object{{"FeatureName", name}, {"ValueAsString", text}});
  }
  json::object output{{"Record", std::move(values)}};
  if (with_expiration && record.expires) output["ExpiresAt"] = base::to_iso8601(*record.expires);
  return output;
}

json::value get(const FeatureStoreParts& parts, const OperationContext& context) {
  const FeatureGroup group = parts.features.groups.get(read_group_name(context.input));
  const auto record = parts.features.records.get(
      group, required_text(context.input, "RecordIdentifierValueAsString"),
      texts(context.input, "FeatureName"));
  return record ? told(*record, tells_expiration(context.input)) : json::object();
}

json::value remove(const FeatureStoreParts& parts, const OperationContext& context) {
  const std::string mode =
      word_or_empty(context.input, "DeletionMode", {"SoftDelete", "HardDelete"});
  parts.features.records.remove(
      read_group_name(context.input), required_text(context.input, "RecordIdentifierValueAsString"),
      required_text(context.input, "EventTime"), read_stores(context.input),
      mode == "HardDelete" ? Deletion::hard : Deletion::soft);
  return nullptr;
}

constexpr std::size_t kMostAnswer = 8U << 20U;  // of a BatchGetRecord; the rest is unprocessed

struct BatchAnswer {
  json::array records;
  json::array errors;
  json::array unprocessed;
  std::size_t bytes = 0;
};

void answer_one(const FeatureStoreParts& parts, const FeatureGroup& group,
                const std::string& asked_name, const std::string& identifier,
                const std::vector<std::string>& names, bool with_expiration, BatchAnswer& answer) {
  const auto record = parts.features.records.get(group, identifier, names);
  if (!record) return;
  for (const auto& [feature, text] : record->values) answer.bytes += feature.size() + text.size();
  json::object one = told(*record, with_expiration);
  one["FeatureGroupName"] = asked_name;
  one["RecordIdentifierValueAsString"] = identifier;
  answer.records.push_back(std::move(one));
}

json::value batch_get(const FeatureStoreParts& parts, const OperationContext& context) {
  const JsonReader reader(context.input, "", kReading);
  const auto identifiers = reader.children("Identifiers");
  if (identifiers.empty() || identifiers.size() > kMostIdentifiers) {
    refuse("Identifiers must have 1 to 100 items");
  }
  const bool with_expiration = tells_expiration(context.input);
  BatchAnswer answer;
  for (const JsonReader& one : identifiers) {
    const std::string asked_name = one.required_text("FeatureGroupName");
    const std::string name = read_group_name(one.object());
    const auto records = one.strings("RecordIdentifiersValueAsString", kMostRecords + 1);
    if (records.empty() || records.size() > kMostRecords) {
      refuse("RecordIdentifiersValueAsString must have 1 to 100 items");
    }
    const auto names = one.strings("FeatureNames", kMostNames);
    const auto fail = [&](const std::string& code, const std::string& message) {
      for (const std::string& identifier : records) {
        answer.errors.push_back(json::object{{"FeatureGroupName", asked_name},
                                             {"RecordIdentifierValueAsString", identifier},
                                             {"ErrorCode", code},
                                             {"ErrorMessage", message}});
      }
    };
    if (auto denied = refusal(parts.authorizer, context.caller, "sagemaker:BatchGetRecord",
                              group_arn(parts.arns, name))) {
      fail("AccessForbidden", *denied);
      continue;
    }
    try {
      const FeatureGroup group = parts.features.groups.get(name);
      json::array left;
      for (const std::string& identifier : records) {
        if (answer.bytes > kMostAnswer) {
          left.emplace_back(identifier);
        } else {
          answer_one(parts, group, asked_name, identifier, names, with_expiration, answer);
        }
      }
      if (!left.empty()) {
        json::object rest = one.object();
        rest["RecordIdentifiersValueAsString"] = std::move(left);
        answer.unprocessed.push_back(std::move(rest));
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found && error.code() != ErrorCode::invalid_argument) {
        throw;
      }
      fail(error.code() == ErrorCode::not_found ? "ResourceNotFound" : "ValidationError",
           error.message());
    }
  }
  return json::object{{"Records", std::move(answer.records)},
                      {"Errors", std::move(answer.errors)},
                      {"UnprocessedIdentifiers", std::move(answer.unprocessed)}};
}

// As its model has it, only GetRecord has an error of its own for a group that is not there.
json::value without_group(const Parts& parts, const Work& work, const OperationContext& context) {
  try {
    return work(*parts, context);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    throw Error(ErrorCode::invalid_argument, error.message());
  }
}

json::value with_group(const Parts& parts, const Work& work, const OperationContext& context) {
  return work(*parts, context);
}

}  // namespace

std::vector<Operation> record_rows(const Parts& parts) {
  using Around = json::value (*)(const Parts&, const Work&, const OperationContext&);
  const auto row = [&](std::string_view name, std::string_view method, std::string_view path,
                       Around around, Work work) {
    Operation made{
        .service = "sagemaker-featurestore-runtime",
        .name = name,
        .protocol = Protocol::rest_json,
        .method = method,
        .path = path,
        .success_status = 200,
        .handler = [parts, around, work = std::move(work)](const OperationContext& context) {
          return around(parts, work, context);
        }};
    made.max_body_bytes = kMostBody;
    return made;
  };
  constexpr std::string_view kGroup = "/FeatureGroup/{FeatureGroupName}";
  return {row("PutRecord", "PUT", kGroup, without_group, put),
          row("GetRecord", "GET", kGroup, with_group, get),
          row("DeleteRecord", "DELETE", kGroup, without_group, remove),
          row("BatchGetRecord", "POST", "/BatchGetRecord", with_group, batch_get)};
}

}  // namespace andon::api::featurestore
