// SPDX-License-Identifier: Apache-2.0
// Thing types, as AWS IoT has them; billing groups, which are refused by name.
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::ThingType;
using control::ThingTypes;
namespace json = base::json;

constexpr PageLimits kPages{100, 250};
constexpr std::string_view kOne = "/thing-types/{thingTypeName}";

std::string name_of(const OperationContext& context) {
  return required_text(context.input, "thingTypeName");
}

json::object describe(const ThingType& type) {
  json::object properties{{"searchableAttributes", to_array(type.searchable_attributes)}};
  put_unless_empty(properties, "thingTypeDescription", type.description);
  json::object metadata{{"deprecated", type.deprecated.has_value()},
                        {"creationDate", base::to_epoch_seconds(type.created)}};
  if (type.deprecated) metadata["deprecationDate"] = base::to_epoch_seconds(*type.deprecated);
  return {{"thingTypeName", type.name},
          {"thingTypeArn", type.arn},
          {"thingTypeProperties", std::move(properties)},
          {"thingTypeMetadata", std::move(metadata)}};
}

struct Properties {
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> searchable;
};
Properties read_properties(const json::object& input) {
  const base::JsonReader reader(input, "", {.separator = ": "});
  Properties read;
  if (!reader.has("thingTypeProperties")) return read;
  const base::JsonReader properties = reader.child("thingTypeProperties");
  read.description = properties.optional_string("thingTypeDescription");
  if (properties.has("searchableAttributes")) {
    read.searchable = properties.strings("searchableAttributes");
  }
  return read;
}

json::value create(control::ControlPlane& control, const OperationContext& context) {
  const Properties properties = read_properties(context.input);
  const ThingType type =
      control.thing_types.create(name_of(context), properties.description.value_or(""),
                                 properties.searchable.value_or(std::vector<std::string>()));
  if (context.input.contains("tags")) control.tags.set(type.arn, read_iot_tags(context.input));
  return json::object{
      {"thingTypeName", type.name}, {"thingTypeArn", type.arn}, {"thingTypeId", type.id}};
}

json::value describe_one(const control::ControlPlane& control, const OperationContext& context) {
  const std::string name = name_of(context);
  const auto type = control.thing_types.find(name);
  if (!type) throw Error(ErrorCode::not_found, "there is no thing type \"" + name + "\"");
  json::object output = describe(*type);
  output["thingTypeId"] = type->id;
  return output;
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  const auto found = control.thing_types.list(text_or_empty(context.input, "thingTypeName"),
                                              read_page(context.input, kPages));
  json::array types;
  for (const ThingType& type : found.items) types.emplace_back(describe(type));
  json::object output{{"thingTypes", std::move(types)}};
  put_next(output, found.next);
  return output;
}

json::value update(control::ControlPlane& control, const OperationContext& context) {
  const Properties properties = read_properties(context.input);
  control.thing_types.update(name_of(context), properties.description, properties.searchable);
  return json::object{};
}

json::value deprecate(control::ControlPlane& control, const OperationContext& context) {
  control.thing_types.set_use(name_of(context), flag(context.input, "undoDeprecate")
                                                    ? ThingTypes::Use::for_new_things
                                                    : ThingTypes::Use::deprecated);
  return json::object{};
}

json::value remove(control::ControlPlane& control, const OperationContext& context) {
  control.thing_types.remove(name_of(context));
  return json::object{};
}

json::value refuse_billing(const control::ControlPlane& /*control*/,
                           const OperationContext& /*context*/) {
  throw Error(ErrorCode::unsupported,
              "this server has no billing groups, for nothing is billed here: use thing groups");
}

}  // namespace

std::vector<Operation> thing_type_operations(control::ControlPlane& control) {
  constexpr std::string_view kBilling = "/billing-groups/{billingGroupName}";
  return {
      iot_row(control, "CreateThingType", "POST", kOne, create),
      iot_row(control, "DescribeThingType", "GET", kOne, describe_one),
      iot_row(control, "ListThingTypes", "GET", "/thing-types", list),
      iot_row(control, "UpdateThingType", "PATCH", kOne, update),
      iot_row(control, "DeprecateThingType", "POST", "/thing-types/{thingTypeName}/deprecate",
              deprecate),
      iot_row(control, "DeleteThingType", "DELETE", kOne, remove),
      iot_row(control, "CreateBillingGroup", "POST", kBilling, refuse_billing),
      iot_row(control, "AddThingToBillingGroup", "PUT", "/billing-groups/addThingToBillingGroup",
              refuse_billing),
  };
}

}  // namespace andon::api
