// SPDX-License-Identifier: Apache-2.0
#include "api/iam/rows.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {

using base::Error;
using base::ErrorCode;
using control::EntityKind;

namespace {

constexpr std::int64_t kStandardPage = 100;
constexpr std::int64_t kLargestPage = 1000;

}  // namespace

Operation iam_row(control::Iam& iam, std::string_view name, IamWork work) {
  return {"iam",
          name,
          Protocol::query,
          "",
          "",
          200,
          [&iam, work = std::move(work)](const OperationContext& context) {
            return work(iam, context);
          }};
}

std::string iam_time(base::Timestamp time) {
  // Whole seconds: "2026-11-29T12:00:00Z".
  const std::string text = base::to_iso8601(time);
  constexpr std::size_t kSeconds = 19;
  return text.substr(0, kSeconds) + "Z";
}

std::string encoded_document(const std::string& document) {
  return base::percent_encode(document);
}

std::string read_document(const json::object& input, std::string_view key,
                          policy::DocumentKind kind) {
  std::string text = required_text(input, key);
  try {
    (void)policy::Document::parse(text, kind);
  } catch (const Error& error) {
    throw ServiceError(400, "MalformedPolicyDocument", error.message());
  }
  return text;
}

std::string path_or_root(const json::object& input, std::string_view key) {
  std::string path = text_or_empty(input, key);
  return path.empty() ? "/" : path;
}

control::PageRequest read_iam_page(const json::object& input) {
  const base::JsonReader reader(input, "",
                                {.texts = base::JsonReading::Texts::as_values, .separator = ": "});
  control::PageRequest page;
  page.limit = static_cast<std::size_t>(
      reader.optional_integer("MaxItems", 1, kLargestPage).value_or(kStandardPage));
  if (const std::string marker = text_or_empty(input, "Marker"); !marker.empty()) {
    const auto after = from_page_token(marker);
    if (!after) reader.fail("Marker", "is not one that this operation gave");
    page.after = *after;
  }
  return page;
}

void put_marker(json::object& output, const std::optional<std::string>& next) {
  output["IsTruncated"] = next.has_value();
  if (next) output["Marker"] = to_page_token(*next);
}

std::string_view name_member(EntityKind kind) {
  switch (kind) {
    case EntityKind::user:
      return "UserName";
    case EntityKind::group:
      return "GroupName";
    case EntityKind::role:
      break;
  }
  return "RoleName";
}

json::object describe_entity(const control::Entity& entity) {
  json::object output{{"Path", entity.path}};
  output[name_member(entity.kind)] = entity.name;
  output[entity.kind == EntityKind::user    ? "UserId"
         : entity.kind == EntityKind::group ? "GroupId"
                                            : "RoleId"] = entity.id;
  output["Arn"] = entity.arn;
  output["CreateDate"] = iam_time(entity.created);
  if (entity.kind != EntityKind::role) return output;
  output["AssumeRolePolicyDocument"] = encoded_document(entity.trust);
  if (!entity.description.empty()) output["Description"] = entity.description;
  output["MaxSessionDuration"] = entity.longest_session.count();
  return output;
}

json::object entity_page(std::string_view member, const control::Page<control::Entity>& found) {
  json::array entities;
  for (const control::Entity& entity : found.items) entities.push_back(describe_entity(entity));
  json::object output;
  output[member] = std::move(entities);
  put_marker(output, found.next);
  return output;
}

void rename_entity(control::Iam& iam, control::EntityKind kind, const json::object& input) {
  const std::string_view member = name_member(kind);
  const std::string new_name = "New" + std::string(member);
  control::EntityUpdate change;
  if (input.contains(new_name)) change.name = required_text(input, new_name);
  if (input.contains("NewPath")) change.path = required_text(input, "NewPath");
  iam.entities.update(kind, required_text(input, member), change);
}

}  // namespace andon::api
