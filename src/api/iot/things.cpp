// SPDX-License-Identifier: Apache-2.0
// Things, as AWS IoT has them.
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr PageLimits kPages{100, 250};

struct Attributes {
  std::optional<std::map<std::string, std::string>> values;
  control::AttributeChange change = control::AttributeChange::replace;
};

Attributes read_attributes(const json::object& input) {
  const base::JsonReader reader(input, "");
  Attributes attributes;
  if (const json::object* payload = reader.optional_object("attributePayload")) {
    attributes.values = text_map(*payload, "attributes");
    if (flag(*payload, "merge")) attributes.change = control::AttributeChange::merge;
  }
  return attributes;
}

json::value create(control::ControlPlane& control, const OperationContext& context) {
  const control::Thing thing =
      control.things.create(required_text(context.input, "thingName"),
                            read_attributes(context.input).values.value_or(control::TagMap{}),
                            text_or_empty(context.input, "thingTypeName"));
  return json::object{{"thingName", thing.name}, {"thingArn", thing.arn}, {"thingId", thing.id}};
}

json::value describe(const control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "thingName");
  const auto thing = control.things.find(name);
  if (!thing) throw Error(ErrorCode::not_found, "there is no thing \"" + name + "\"");
  json::object output{{"defaultClientId", thing->name},
                      {"thingName", thing->name},
                      {"thingId", thing->id},
                      {"thingArn", thing->arn},
                      {"attributes", to_object(thing->attributes)},
                      {"version", thing->version}};
  put_unless_empty(output, "thingTypeName", thing->type_name);
  return output;
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  const auto found = control.things.list({text_or_empty(context.input, "attributeName"),
                                          text_or_empty(context.input, "attributeValue"),
                                          text_or_empty(context.input, "thingTypeName")},
                                         read_page(context.input, kPages));
  json::array things;
  for (const control::Thing& thing : found.items) {
    json::object one{{"thingName", thing.name},
                     {"thingArn", thing.arn},
                     {"attributes", to_object(thing.attributes)},
                     {"version", thing.version}};
    put_unless_empty(one, "thingTypeName", thing.type_name);
    things.emplace_back(std::move(one));
  }
  json::object output{{"things", std::move(things)}};
  put_next(output, found.next);
  return output;
}

json::value update(control::ControlPlane& control, const OperationContext& context) {
  Attributes attributes = read_attributes(context.input);
  control::ThingUpdate change;
  change.attributes = std::move(attributes.values);
  change.change = attributes.change;
  const std::string type = text_or_empty(context.input, "thingTypeName");
  if (!type.empty()) change.type_name = type;
  if (flag(context.input, "removeThingType")) change.type_name = "";
  change.expected_version = optional_number(context.input, "expectedVersion");
  control.things.update(required_text(context.input, "thingName"), change);
  return json::object{};
}

json::value remove(control::ControlPlane& control, const OperationContext& context) {
  control.things.remove(required_text(context.input, "thingName"),
                        optional_number(context.input, "expectedVersion"));
  return json::object{};
}

}  // namespace

std::vector<Operation> thing_operations(control::ControlPlane& control) {
  return {
      iot_row(control, "CreateThing", "POST", "/things/{thingName}", create),
      iot_row(control, "DescribeThing", "GET", "/things/{thingName}", describe),
      iot_row(control, "ListThings", "GET", "/things", list),
      iot_row(control, "UpdateThing", "PATCH", "/things/{thingName}", update),
      iot_row(control, "DeleteThing", "DELETE", "/things/{thingName}", remove),
  };
}

}  // namespace andon::api
