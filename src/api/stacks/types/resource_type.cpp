// SPDX-License-Identifier: Apache-2.0
#include "api/stacks/types/resource_type.hpp"

#include <algorithm>

#include "base/text/ascii.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kDigits = 12;

const std::vector<ResourceType>& all_types() {
  static const std::vector<ResourceType> all = [] {
    std::vector<ResourceType> types;
    for (auto* part : {iam_types, s3_types, lambda_types, workflow_types, event_types, iot_types,
                       greengrass_types, store_types, pipeline_types}) {
      std::ranges::move(part(), std::back_inserter(types));
    }
    return types;
  }();
  return all;
}

}  // namespace

const ResourceType* find_type(std::string_view name) {
  const auto& all = all_types();
  const auto found = std::ranges::find(all, name, &ResourceType::name);
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string_view> type_names() {
  std::vector<std::string_view> names;
  for (const ResourceType& type : all_types()) names.push_back(type.name);
  std::ranges::sort(names);
  return names;
}

const json::value* Work::get(std::string_view property) const {
  return properties.if_contains(property);
}

std::string Work::text(std::string_view property) const {
  const auto* value = get(property);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->get_string()) : base::to_text(*value);
}

std::string Work::made_name(std::size_t longest) const {
  const std::string digest =
      trust::sha256_hex(stack_id + "/" + logical_id + "/" + std::to_string(generation))
          .substr(0, kDigits);
  std::string front = stack_name + "-" + logical_id;
  const std::size_t room = longest - digest.size() - 1;
  if (front.size() > room) {
    // Both keep their beginnings, as CloudFormation's names do.
    const std::size_t half = (room - 1) / 2;
    front = stack_name.substr(0, half) + "-" + logical_id.substr(0, half);
  }
  return front + "-" + digest;
}

std::string Work::name(std::string_view property, std::size_t longest) const {
  const std::string given = text(property);
  return given.empty() ? made_name(longest) : given;
}

json::object Work::pick(std::initializer_list<std::string_view> names) const {
  json::object picked;
  for (const std::string_view one : names) {
    if (const auto* value = get(one)) picked[one] = *value;
  }
  return picked;
}

std::string Work::token() const {
  return trust::sha256_hex(stack_id + "/" + logical_id + "/" + std::to_string(generation) + "/" +
                           base::to_text(properties))
      .substr(0, 32);
}

std::string Work::arn(std::string_view service, std::string_view resource) const {
  const bool is_global = service == "iam";
  return "arn:aws:" + std::string(service) + ":" + (is_global ? "" : region) + ":" + account + ":" +
         std::string(resource);
}

json::value lowered(const json::value& value) {
  if (const auto* list = value.if_array()) {
    json::array made;
    for (const json::value& one : *list) made.push_back(lowered(one));
    return made;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  json::object made;
  for (const auto& [key, inner] : *object) {
    std::string name(key);
    if (!name.empty()) name.front() = base::to_lower(name.front());
    made[name] = lowered(inner);
  }
  return made;
}

json::object tag_map(const json::value* tags) {
  json::object map;
  if (tags == nullptr) return map;
  if (const auto* object = tags->if_object()) return *object;
  if (!tags->is_array()) return map;
  for (const json::value& tag : tags->get_array()) {
    map[member_text(tag, "Key")] = member_text(tag, "Value");
  }
  return map;
}

std::string document_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : base::to_text(value);
}

std::vector<std::string> texts(const json::value* list) {
  std::vector<std::string> all;
  if (list == nullptr || !list->is_array()) return all;
  for (const json::value& one : list->get_array()) all.push_back(document_text(one));
  return all;
}

std::vector<std::string> without(const std::vector<std::string>& left,
                                 const std::vector<std::string>& right) {
  std::vector<std::string> rest;
  std::ranges::copy_if(left, std::back_inserter(rest), [&](const std::string& one) {
    return std::ranges::find(right, one) == right.end();
  });
  return rest;
}

bool differs(const json::object& left, const json::object& right,
             std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view name) {
    const auto* one = left.if_contains(name);
    const auto* other = right.if_contains(name);
    return one == nullptr || other == nullptr ? one != other : *one != *other;
  });
}

const json::value* member(const json::value& object, std::string_view name) {
  return object.is_object() ? object.get_object().if_contains(name) : nullptr;
}

std::string member_text(const json::value& object, std::string_view name) {
  const auto* value = member(object, name);
  if (value == nullptr || value->is_null()) return {};
  return document_text(*value);
}

}  // namespace andon::api
