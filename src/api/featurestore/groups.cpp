// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <iterator>
#include <utility>

#include "api/constraints/constraints.hpp"
#include "api/featurestore/rows.hpp"
#include "api/sagemaker/members.hpp"
#include "api/sagemaker/rows.hpp"
#include "api/table/internal_call.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/number.hpp"

namespace andon::api {

std::vector<Operation> feature_store_operations(const FeatureStoreParts& parts) {
  const auto held = std::make_shared<const FeatureStoreParts>(parts);
  std::vector<Operation> all = featurestore::group_rows(held);
  std::ranges::move(featurestore::record_rows(held), std::back_inserter(all));
  return all;
}

}  // namespace andon::api

namespace andon::api::featurestore {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
using features::Feature;
using features::FeatureGroup;
using features::GroupRequest;
using features::GroupStatus;

constexpr std::size_t kMostDescription = 128;
constexpr std::size_t kMostFeatureDescription = 255;
constexpr std::size_t kMostParameters = 25;
constexpr std::int64_t kStandardPage = 10;
constexpr std::int64_t kLargestPage = 100;
constexpr base::JsonReading kReading{.separator = ": "};

constexpr std::pair<std::string_view, GroupStatus> kStatuses[] = {
    {"Creating", GroupStatus::creating},
    {"Created", GroupStatus::created},
    {"CreateFailed", GroupStatus::failed},
    {"Deleting", GroupStatus::deleting}};

[[noreturn]] void refuse(std::string_view key, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, std::string(key) + ": " + problem);
}

std::vector<Feature> read_features(const JsonReader& reader, std::string_view key) {
  std::vector<Feature> features;
  for (const JsonReader& one : reader.children(key)) {
    const std::string type = one.required_text("FeatureType");
    const auto parsed = features::parse_feature_type(type);
    if (!parsed) one.fail("FeatureType", "must be Integral, Fractional or String");
    features.push_back({.name = one.required_text("FeatureName"), .type = *parsed});
  }
  return features;
}

void read_online(const json::object& input, const JsonReader& reader, GroupRequest& request) {
  if (!reader.has("OnlineStoreConfig")) return;
  const JsonReader online = reader.child("OnlineStoreConfig");
  request.is_online = online.optional_bool("EnableOnlineStore").value_or(false);
  request.time_to_live = read_time_to_live(input.at("OnlineStoreConfig").as_object());
  const std::string storage = online.optional_string("StorageType").value_or("Standard");
  if (storage != "Standard") {
    online.fail("StorageType", "is " + storage.substr(0, 50) + "; this server has only Standard");
  }
}

void read_offline(const JsonReader& reader, GroupRequest& request) {
  if (!reader.has("OfflineStoreConfig")) return;
  const JsonReader offline = reader.child("OfflineStoreConfig");
  request.is_offline = true;
  request.s3_uri = offline.child("S3StorageConfig").required_text("S3Uri");
  request.has_table = !offline.optional_bool("DisableGlueTableCreation").value_or(false);
  request.table_format = offline.optional_string("TableFormat").value_or("");
  if (!request.table_format.empty() && request.table_format != "Glue" &&
      request.table_format != "Default") {
    offline.fail("TableFormat", "is " + request.table_format.substr(0, 50) +
                                    "; this server has only Glue, its files are JSON lines");
  }
  if (!offline.has("DataCatalogConfig")) return;
  const JsonReader catalog = offline.child("DataCatalogConfig");
  const std::string name = catalog.required_text("Catalog");
  if (name != features::kCatalog) {
    catalog.fail("Catalog", "this server's catalog is " + std::string(features::kCatalog));
  }
  request.table = catalog.required_text("TableName");
  request.database = catalog.required_text("Database");
  request.has_table = true;
}

void check_throughput(const JsonReader& reader) {
  if (!reader.has("ThroughputConfig")) return;
  const JsonReader throughput = reader.child("ThroughputConfig");
  if (throughput.required_text("ThroughputMode") != "OnDemand") {
    throughput.fail("ThroughputMode", "this server has only OnDemand");
  }
}

json::value create(const FeatureStoreParts& parts, const OperationContext& context) {
  const JsonReader reader(context.input, "", kReading);
  GroupRequest request{.name = reader.required_text("FeatureGroupName"),
                       .record_identifier = reader.required_text("RecordIdentifierFeatureName"),
                       .event_time = reader.required_text("EventTimeFeatureName"),
                       .features = read_features(reader, "FeatureDefinitions"),
                       .role_arn = reader.optional_string("RoleArn").value_or(""),
                       .description = reader.optional_string("Description").value_or("")};
  if (request.description.size() > kMostDescription) {
    refuse("Description", "may have at most 128 characters");
  }
  read_online(context.input, reader, request);
  read_offline(reader, request);
  check_throughput(reader);
  const control::TagMap tags = read_tags(context.input);
  if (request.is_offline && request.role_arn.empty()) {
    refuse("RoleArn", "is missing; it is what the offline store is written to S3 as");
  }
  const std::string arn = group_arn(parts.arns, request.name);
  if (!request.role_arn.empty()) {
    require_pass_role(parts.authorizer, context.caller, Protocol::aws_json_1_1, request.role_arn,
                      "sagemaker.amazonaws.com", arn);
  }
  parts.features.groups.create(std::move(request));
  control::Tags of_group = parts.tags;
  if (!tags.empty()) of_group.set(arn, tags);
  parts.features.wake();
  return json::object{{"FeatureGroupArn", arn}};
}

json::object online_config(const FeatureGroup& group) {
  json::object config{{"EnableOnlineStore", true}, {"StorageType", "Standard"}};
  if (const auto& ttl = group.request.time_to_live) {
    config["TtlDuration"] = json::object{{"Unit", ttl->unit}, {"Value", ttl->value}};
  }
  return config;
}

json::object offline_config(const FeatureGroup& group) {
  const GroupRequest& request = group.request;
  json::object storage{{"S3Uri", request.s3_uri}};
  put_unless_empty(storage, "ResolvedOutputS3Uri", group.resolved_uri);
  json::object config{{"S3StorageConfig", std::move(storage)},
                      {"DisableGlueTableCreation", !request.has_table}};
  if (request.has_table) {
    config["DataCatalogConfig"] = json::object{{"TableName", request.table},
                                               {"Catalog", features::kCatalog},
                                               {"Database", request.database}};
  }
  put_unless_empty(config, "TableFormat", request.table_format);
  return config;
}

json::object offline_status(const FeatureGroup& group) {
  if (!group.request.is_offline) return {{"Status", "Disabled"}};
  if (group.export_problem.empty()) return {{"Status", "Active"}};
  return {{"Status", "Blocked"}, {"BlockedReason", group.export_problem}};
}

json::value describe(const FeatureStoreParts& parts, const OperationContext& context) {
  if (!text_or_empty(context.input, "NextToken").empty()) {
    refuse("NextToken", "there is one page only");
  }
  const FeatureGroup group = parts.features.groups.get(read_group_name(context.input));
  const GroupRequest& request = group.request;
  json::array definitions;
  for (const Feature& one : request.features) {
    definitions.push_back(
        json::object{{"FeatureName", one.name}, {"FeatureType", features::to_string(one.type)}});
  }
  json::object output{{"FeatureGroupArn", group_arn(parts.arns, request.name)},
                      {"FeatureGroupName", request.name},
                      {"RecordIdentifierFeatureName", request.record_identifier},
                      {"EventTimeFeatureName", request.event_time},
                      {"FeatureDefinitions", std::move(definitions)},
                      {"CreationTime", base::to_epoch_seconds(group.created)},
                      {"LastModifiedTime", base::to_epoch_seconds(group.modified)},
                      {"ThroughputConfig", json::object{{"ThroughputMode", "OnDemand"}}},
                      {"FeatureGroupStatus", features::to_string(group.status)},
                      {"OfflineStoreStatus", offline_status(group)},
                      {"NextToken", ""},
                      {"OnlineStoreTotalSizeBytes", group.online_bytes}};
  if (request.is_online) output["OnlineStoreConfig"] = online_config(group);
  if (request.is_offline) output["OfflineStoreConfig"] = offline_config(group);
  if (group.modified > group.created && group.status == GroupStatus::created) {
    output["LastUpdateStatus"] = json::object{{"Status", "Successful"}};
  }
  put_unless_empty(output, "RoleArn", request.role_arn);
  put_unless_empty(output, "FailureReason", group.failure);
  put_unless_empty(output, "Description", request.description);
  return output;
}

json::value update(const FeatureStoreParts& parts, const OperationContext& context) {
  const std::string name = read_group_name(context.input);
  const JsonReader reader(context.input, "", kReading);
  check_throughput(reader);
  const std::vector<Feature> additions = read_features(reader, "FeatureAdditions");
  std::optional<features::TimeToLive> ttl;
  if (const auto* online = reader.optional_object("OnlineStoreConfig")) {
    ttl = read_time_to_live(*online);
  }
  if (additions.empty() && !ttl) refuse("FeatureAdditions", "there is nothing to change");
  if (!additions.empty()) parts.features.groups.add_features(name, additions);
  if (ttl) parts.features.groups.set_time_to_live(name, *ttl);
  return json::object{{"FeatureGroupArn", group_arn(parts.arns, name)}};
}

std::optional<base::Timestamp> read_time(const JsonReader& reader, std::string_view key) {
  constexpr double kMillis = 1000;
  const auto seconds = reader.optional_number(key);
  if (!seconds) return std::nullopt;
  return base::from_epoch_millis(std::llround(*seconds * kMillis));
}

json::value list(const FeatureStoreParts& parts, const OperationContext& context) {
  const JsonReader reader(context.input, "", kReading);
  features::GroupList wanted;
  wanted.filter = {.name_contains = text_or_empty(context.input, "NameContains"),
                   .status = reader.choice("FeatureGroupStatusEquals", kStatuses),
                   .created_after = read_time(reader, "CreationTimeAfter"),
                   .created_before = read_time(reader, "CreationTimeBefore")};
  const std::string offline =
      word_or_empty(context.input, "OfflineStoreStatusEquals", {"Active", "Blocked", "Disabled"});
  const std::string order =
      word_or_empty(context.input, "SortBy",
                    {"Name", "FeatureGroupStatus", "OfflineStoreStatus", "CreationTime"});
  if (order == "Name") wanted.order = features::GroupOrder::by_name;
  if (order == "FeatureGroupStatus") wanted.order = features::GroupOrder::by_status;
  if (order == "OfflineStoreStatus") refuse("SortBy", "OfflineStoreStatus is not supported");
  wanted.is_descending =
      word_or_empty(context.input, "SortOrder", {"Ascending", "Descending"}) != "Ascending";
  const auto limit = static_cast<std::size_t>(
      reader.optional_integer("MaxResults", 1, kLargestPage).value_or(kStandardPage));
  const std::string token = text_or_empty(context.input, "NextToken");
  if (!token.empty()) {
    const auto key = from_page_token(token);
    const auto offset = key ? base::parse_integer<std::size_t>(*key) : std::nullopt;
    if (!offset) refuse("NextToken", "is not one that this list gave; start anew without it");
    wanted.offset = *offset;
  }
  wanted.limit = features::kMostGroups;
  auto groups = parts.features.groups.list(wanted);
  if (!offline.empty()) {
    std::erase_if(groups, [&](const FeatureGroup& group) {
      return offline_status(group).at("Status").as_string() != offline;
    });
  }
  json::array summaries;
  for (std::size_t i = 0; i < groups.size() && i < limit; ++i) {
    const FeatureGroup& group = groups[i];
    summaries.push_back(json::object{{"FeatureGroupName", group.request.name},
                                     {"FeatureGroupArn", group_arn(parts.arns, group.request.name)},
                                     {"CreationTime", base::to_epoch_seconds(group.created)},
                                     {"FeatureGroupStatus", features::to_string(group.status)},
                                     {"OfflineStoreStatus", offline_status(group)}});
  }
  json::object output{{"FeatureGroupSummaries", std::move(summaries)}};
  if (groups.size() > limit) {
    output["NextToken"] = to_page_token(std::to_string(wanted.offset + limit));
  }
  return output;
}

json::value remove(const FeatureStoreParts& parts, const OperationContext& context) {
  const std::string name = read_group_name(context.input);
  parts.features.groups.remove(name);
  control::Tags tags = parts.tags;
  std::vector<std::string> keys;
  const std::string arn = group_arn(parts.arns, name);
  for (const auto& [key, value] : tags.of(arn)) keys.push_back(key);
  if (!keys.empty()) tags.remove(arn, keys);
  parts.features.wake();
  return nullptr;
}

json::value describe_metadata(const FeatureStoreParts& parts, const OperationContext& context) {
  const std::string name = read_group_name(context.input);
  const Feature feature =
      parts.features.groups.describe(name, required_text(context.input, "FeatureName"), {});
  json::array parameters;
  for (const auto& [key, value] : feature.parameters) {
    parameters.push_back(json::object{{"Key", key}, {"Value", value}});
  }
  json::object output{{"FeatureGroupArn", group_arn(parts.arns, name)},
                      {"FeatureGroupName", name},
                      {"FeatureName", feature.name},
                      {"FeatureType", features::to_string(feature.type)},
                      {"CreationTime", base::to_epoch_seconds(feature.created)},
                      {"LastModifiedTime", base::to_epoch_seconds(feature.modified)},
                      {"Parameters", std::move(parameters)}};
  put_unless_empty(output, "Description", feature.description);
  return output;
}

json::value update_metadata(const FeatureStoreParts& parts, const OperationContext& context) {
  const JsonReader reader(context.input, "", kReading);
  const auto description = reader.optional_string("Description");
  if (description && description->size() > kMostFeatureDescription) {
    refuse("Description", "may have at most 255 characters");
  }
  const auto removals = reader.strings("ParameterRemovals", kMostParameters);
  std::map<std::string, std::string> additions;
  for (const JsonReader& one : reader.children("ParameterAdditions")) {
    const std::string key = one.required_text("Key");
    const std::string value = one.required_text("Value");
    if (key.size() > kMostFeatureDescription || value.size() > kMostFeatureDescription) {
      refuse("ParameterAdditions", "a key and a value may have at most 255 characters");
    }
    additions[key] = value;
  }
  parts.features.groups.describe(
      read_group_name(context.input), reader.required_text("FeatureName"), [&](Feature& feature) {
        if (description) feature.description = *description;
        for (const std::string& key : removals) feature.parameters.erase(key);
        for (const auto& [key, value] : additions) feature.parameters[key] = value;
        if (feature.parameters.size() > kMostParameters) {
          refuse("ParameterAdditions", "a feature may have at most 25 parameters");
        }
      });
  return nullptr;
}

}  // namespace

std::string group_arn(const fleet::Arns& arns, const std::string& name) {
  return "arn:aws:sagemaker:" + arns.region() + ":" + arns.account() + ":feature-group/" + name;
}

std::string read_group_name(const json::object& input) {
  const std::string text = required_text(input, "FeatureGroupName");
  if (!text.starts_with("arn:")) return text;
  constexpr std::string_view kKind = ":feature-group/";
  const std::size_t at = text.find(kKind);
  if (at == std::string::npos || text.find(":sagemaker:") == std::string::npos) {
    refuse("FeatureGroupName", "'" + text.substr(0, 200) + "' is not the ARN of a feature group");
  }
  return text.substr(at + kKind.size());
}

std::optional<features::TimeToLive> read_time_to_live(const json::object& input) {
  const JsonReader reader(input, "", kReading);
  if (!reader.has("TtlDuration")) return std::nullopt;
  const JsonReader ttl = reader.child("TtlDuration");
  return features::TimeToLive{ttl.required_text("Unit"), ttl.integer("Value")};
}

json::value named(const Parts& parts, const Work& work, const OperationContext& context) {
  constexpr int kBadRequest = 400;
  try {
    return work(*parts, context);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) {
      throw ServiceError(kBadRequest, "ResourceNotFound", error.message());
    }
    if (error.code() == ErrorCode::already_exists) {
      throw ServiceError(kBadRequest, "ResourceInUse", error.message());
    }
    throw;
  }
}

std::vector<Operation> group_rows(const Parts& parts) {
  const auto row = [&](std::string_view name, Work work) {
    return sagemaker_row(name, [parts, work = std::move(work)](const OperationContext& context) {
      return named(parts, work, context);
    });
  };
  return {row("CreateFeatureGroup", create),
          row("DescribeFeatureGroup", describe),
          row("UpdateFeatureGroup", update),
          row("ListFeatureGroups", list),
          row("DeleteFeatureGroup", remove),
          row("DescribeFeatureMetadata", describe_metadata),
          row("UpdateFeatureMetadata", update_metadata)};
}

}  // namespace andon::api::featurestore
