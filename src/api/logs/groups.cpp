// SPDX-License-Identifier: Apache-2.0
// Log groups, their retention and tags.
#include <algorithm>
#include <array>

#include "api/logs/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api::logs {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kGroupsPage = 50;
// As AWS takes them.
constexpr std::array kRetentions = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                    365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

control::TagMap read_tags(const json::object& input) {
  control::TagMap tags;
  const auto* given = input.if_contains("tags");
  if (given == nullptr || given->is_null()) return tags;
  for (const auto& member : given->as_object()) {
    const std::string_view key = member.key();
    const auto* value = member.value().if_string();
    const bool fits = !key.empty() && key.size() <= 128 && !key.starts_with("aws:") &&
                      value != nullptr && value->size() <= 256;
    if (!fits) {
      throw Error(ErrorCode::invalid_argument,
                  "tags: keys have 1 to 128 characters and do not begin with aws:, values at most "
                  "256");
    }
    tags.emplace(key, *value);
  }
  return tags;
}

json::object described(const Service& service, const control::LogGroup& group) {
  const std::string arn = service.arns.log_group(group.name);
  json::object told{{"logGroupName", group.name},
                    {"creationTime", base::to_epoch_millis(group.created)},
                    {"metricFilterCount", 0},
                    {"arn", arn + ":*"},
                    {"logGroupArn", arn},
                    {"storedBytes", group.bytes},
                    {"logGroupClass", group.log_class}};
  if (group.retention_days) told["retentionInDays"] = *group.retention_days;
  return told;
}

json::value create(const Service& service, const json::object& input) {
  if (maybe_text(input, "kmsKeyId")) {
    throw Error(ErrorCode::unsupported,
                "kmsKeyId: there are no customer managed keys here; the disk's own encryption "
                "keeps the data");
  }
  if (flag(input, "deletionProtectionEnabled")) {
    throw Error(ErrorCode::unsupported, "deletionProtectionEnabled is not supported here");
  }
  control::NewLogGroup group{.name = *maybe_text(input, "logGroupName"), .tags = read_tags(input)};
  if (const auto given = maybe_text(input, "logGroupClass")) group.log_class = *given;
  service.logs.create_group(group);
  return nullptr;
}

json::value remove(const Service& service, const json::object& input) {
  service.logs.remove_group(*maybe_text(input, "logGroupName"));
  return nullptr;
}

json::value list(const Service& service, const json::object& input) {
  control::LogGroupFilter filter{.prefix = maybe_text(input, "logGroupNamePrefix").value_or(""),
                                 .part = maybe_text(input, "logGroupNamePattern").value_or(""),
                                 .log_class = maybe_text(input, "logGroupClass").value_or("")};
  if (!filter.prefix.empty() && !filter.part.empty()) {
    throw Error(
        ErrorCode::invalid_argument,
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  }
  json::array groups;
  json::object output;
  const auto named = read_texts(input, "logGroupIdentifiers");
  if (!named.empty()) {
    for (const std::string& one : named) {
      const auto ref = fleet::parse_log_group_arn(one);
      if (const auto found = service.logs.find_group(ref ? ref->name : one)) {
        groups.push_back(described(service, *found));
      }
    }
  } else {
    const auto page = service.logs.groups(filter, read_page(input, kGroupsPage));
    for (const auto& group : page.items) groups.push_back(described(service, group));
    put_next(output, page.next);
  }
  output["logGroups"] = std::move(groups);
  return output;
}

json::value put_retention(const Service& service, const json::object& input) {
  const std::int64_t days = *optional_number(input, "retentionInDays");
  if (std::ranges::find(kRetentions, days) == kRetentions.end()) {
    std::string known;
    for (const int one : kRetentions) known += (known.empty() ? "" : ", ") + std::to_string(one);
    throw Error(ErrorCode::invalid_argument,
                "1 validation error detected: Value '" + std::to_string(days) +
                    "' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum "
                    "value set: [" +
                    known + "]");
  }
  service.logs.set_retention(*maybe_text(input, "logGroupName"), days);
  return nullptr;
}

json::value delete_retention(const Service& service, const json::object& input) {
  service.logs.set_retention(*maybe_text(input, "logGroupName"), std::nullopt);
  return nullptr;
}

// By name, as the older operations have it, or by ARN.
std::string tagged(const json::object& input) {
  const auto name = maybe_text(input, "logGroupName");
  return name ? *name : read_group_arn(input, "resourceArn");
}

json::value tag(const Service& service, const json::object& input) {
  service.logs.tag(tagged(input), read_tags(input));
  return nullptr;
}

json::value untag(const Service& service, const json::object& input) {
  service.logs.untag(tagged(input), read_texts(input, input.contains("tags") ? "tags" : "tagKeys"));
  return nullptr;
}

json::value list_tags(const Service& service, const json::object& input) {
  return json::object{{"tags", to_object(service.logs.tags(tagged(input)))}};
}

}  // namespace

std::vector<Operation> group_rows(const Service& service) {
  const MemberRule group = needed(group_rule());
  const MemberRule resource = needed(text("resourceArn", 1, 1011));
  const MemberRule kind = word("logGroupClass", {"STANDARD", "INFREQUENT_ACCESS"});
  return {row(service, "CreateLogGroup",
              {group, kind, text("kmsKeyId", 0, 256), object_rule("tags"),
               flag_rule("deletionProtectionEnabled")},
              create),
          row(service, "DeleteLogGroup", {group}, remove),
          row(service, "DescribeLogGroups",
              with_page({text("logGroupNamePrefix", 1, 512), text("logGroupNamePattern", 0, 512),
                         kind, list_rule("logGroupIdentifiers", 1, 50)},
                        50),
              list),
          row(service, "PutRetentionPolicy", {group, needed(number("retentionInDays", 1, 3653))},
              put_retention),
          row(service, "DeleteRetentionPolicy", {group}, delete_retention),
          row(service, "TagLogGroup", {group, needed(object_rule("tags"))}, tag),
          row(service, "UntagLogGroup", {group, needed(list_rule("tags"))}, untag),
          row(service, "ListTagsLogGroup", {group}, list_tags),
          row(service, "TagResource", {resource, needed(object_rule("tags"))}, tag),
          row(service, "UntagResource", {resource, needed(list_rule("tagKeys"))}, untag),
          row(service, "ListTagsForResource", {resource}, list_tags)};
}

}  // namespace andon::api::logs
