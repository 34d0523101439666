// SPDX-License-Identifier: Apache-2.0
// Room: stacks/types. Each type of resource that a template may have, as calls of the operation
// table and of S3.
// A type of resource: which properties it has, and how it is made, changed, found and removed by
// calls. Tables of functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/stacks/types/calls.hpp"
#include "base/json/json.hpp"

namespace andon::api {

struct Property {
  enum class Kind : std::uint8_t { any, text, integer, boolean, document };  // document: JSON text
  enum class Change : std::uint8_t {
    update,
    replace,   // another value needs another resource
    left_out,  // means nothing here: listed, with the type's reason
  };
  std::string_view name;
  Kind kind = Kind::any;
  Change change = Change::update;
  std::string_view reason = {};  // of left_out
};

// One resource while something is done about it.
struct Work {
  const StackCalls& calls;
  std::string account;
  std::string region;
  std::string stack_name;
  std::string stack_id;
  std::string logical_id;
  std::int64_t generation = 0;  // how often it was replaced
  std::string physical_id;      // empty: not known yet
  json::object properties;      // as they are to be (to find or remove: as they are recorded)

  // Members of the properties; "" and null where they are absent.
  [[nodiscard]] std::string text(std::string_view property) const;
  [[nodiscard]] const json::value* get(std::string_view property) const;
  // The property, else a name made of stack and logical id, which is the same whenever it is made.
  [[nodiscard]] std::string name(std::string_view property, std::size_t longest) const;
  [[nodiscard]] std::string made_name(std::size_t longest) const;
  // Of these properties those that are there.
  [[nodiscard]] json::object pick(std::initializer_list<std::string_view> names) const;
  // What is unique to this resource in its present form, for client tokens.
  [[nodiscard]] std::string token() const;
  [[nodiscard]] std::string arn(std::string_view service, std::string_view resource) const;
};

struct ResourceType {
  std::string_view name;
  std::vector<Property> properties;
  // The property that names it; empty: it has no name of its own.
  std::string_view name_property;
  // Its physical id before it is made; null: only its service knows.
  std::string (*identify)(const Work&) = nullptr;
  // What it has (Fn::GetAtt), by its physical id; nothing where it is not there.
  std::optional<json::object> (*find)(const Work&) = nullptr;
  // Gives the physical id. Called again after a crash only where find() says that it is not there.
  std::string (*create)(const Work&) = nullptr;
  // `before` are the properties that it has, as far as they are known: empty after a crash while it
  // was made. Null: everything is a replacement.
  void (*update)(const Work&, const json::object& before) = nullptr;
  // Also where it is gone already, or only partly there.
  void (*remove)(const Work&) = nullptr;
  // What stands there already is taken over instead of refused: it is a link, or a setting.
  bool takes_over = false;
};

// Null for a type that is not here.
[[nodiscard]] const ResourceType* find_type(std::string_view name);
[[nodiscard]] std::vector<std::string_view> type_names();

// Tables of types, a file each.
[[nodiscard]] std::vector<ResourceType> iam_types();
[[nodiscard]] std::vector<ResourceType> s3_types();
[[nodiscard]] std::vector<ResourceType> lambda_types();
[[nodiscard]] std::vector<ResourceType> workflow_types();
[[nodiscard]] std::vector<ResourceType> event_types();
[[nodiscard]] std::vector<ResourceType> iot_types();
[[nodiscard]] std::vector<ResourceType> greengrass_types();
[[nodiscard]] std::vector<ResourceType> store_types();
[[nodiscard]] std::vector<ResourceType> pipeline_types();

// {"LogGroupName": 1} -> {"logGroupName": 1}, at every level.
[[nodiscard]] json::value lowered(const json::value& value);
// Tags as CloudFormation has them ([{Key, Value}]), as a map.
[[nodiscard]] json::object tag_map(const json::value* tags);
// A document as its JSON text.
[[nodiscard]] std::string document_text(const json::value& value);
[[nodiscard]] std::vector<std::string> texts(const json::value* list);
// Texts that are in `left` only.
[[nodiscard]] std::vector<std::string> without(const std::vector<std::string>& left,
                                               const std::vector<std::string>& right);
// Whether any of these members differs.
[[nodiscard]] bool differs(const json::object& left, const json::object& right,
                           std::initializer_list<std::string_view> names);
[[nodiscard]] std::string member_text(const json::value& object, std::string_view name);
// The member below; null where it is absent.
[[nodiscard]] const json::value* member(const json::value& object, std::string_view name);

}  // namespace andon::api
