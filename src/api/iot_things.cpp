// SPDX-License-Identifier: Apache-2.0
// Things and their certificates, as AWS IoT has them.
#include <utility>

#include "api/iot_rows.hpp"
#include "api/members.hpp"
#include "base/error.hpp"

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

json::value create(control::ControlPlane& control, const json::object& input) {
  const control::Thing thing = control.things.create(
      required_text(input, "thingName"), read_attributes(input).values.value_or(control::TagMap{}),
      text_or_empty(input, "thingTypeName"));
  return json::object{{"thingName", thing.name}, {"thingArn", thing.arn}, {"thingId", thing.id}};
}

json::value describe(const control::ControlPlane& control, const json::object& input) {
  const std::string name = required_text(input, "thingName");
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

json::value list(const control::ControlPlane& control, const json::object& input) {
  const auto found = control.things.list(
      {text_or_empty(input, "attributeName"), text_or_empty(input, "attributeValue"),
       text_or_empty(input, "thingTypeName")},
      read_page(input, kPages));
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

json::value update(control::ControlPlane& control, const json::object& input) {
  Attributes attributes = read_attributes(input);
  control::ThingUpdate change;
  change.attributes = std::move(attributes.values);
  change.change = attributes.change;
  const std::string type = text_or_empty(input, "thingTypeName");
  if (!type.empty()) change.type_name = type;
  if (flag(input, "removeThingType")) change.type_name = "";
  change.expected_version = optional_number(input, "expectedVersion");
  control.things.update(required_text(input, "thingName"), change);
  return json::object{};
}

json::value remove(control::ControlPlane& control, const json::object& input) {
  control.things.remove(required_text(input, "thingName"),
                        optional_number(input, "expectedVersion"));
  return json::object{};
}

json::value list_principals(const control::ControlPlane& control, const json::object& input) {
  const std::string name = required_text(input, "thingName");
  if (!control.things.find(name)) {
    throw Error(ErrorCode::not_found, "there is no thing \"" + name + "\"");
  }
  json::array principals;
  for (const control::Certificate& certificate : control.enrolment.certificates_of(name)) {
    principals.emplace_back(certificate.arn);
  }
  return json::object{{"principals", std::move(principals)}};
}

json::value describe_certificate(const control::ControlPlane& control, const json::object& input) {
  const std::string id = required_text(input, "certificateId");
  const auto certificate = control.enrolment.find_certificate(id);
  if (!certificate) throw Error(ErrorCode::not_found, "there is no certificate " + id);
  return json::object{
      {"certificateDescription",
       {{"certificateArn", certificate->arn},
        {"certificateId", certificate->id},
        {"status", control::to_string(certificate->status)},
        {"certificatePem", certificate->pem},
        {"creationDate", base::to_epoch_seconds(certificate->created)},
        {"validity", {{"notAfter", base::to_epoch_seconds(certificate->not_after)}}}}}};
}

json::value update_certificate(control::ControlPlane& control, const json::object& input) {
  const std::string text = required_text(input, "newStatus");
  const auto status = control::parse_certificate_status(text);
  if (!status) {
    throw Error(ErrorCode::invalid_argument, "newStatus: must be ACTIVE, INACTIVE or REVOKED");
  }
  control.enrolment.set_status(required_text(input, "certificateId"), *status);
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
      iot_row(control, "ListThingPrincipals", "GET", "/things/{thingName}/principals",
              list_principals),
  };
}

std::vector<Operation> certificate_operations(control::ControlPlane& control) {
  return {
      iot_row(control, "DescribeCertificate", "GET", "/certificates/{certificateId}",
              describe_certificate),
      iot_row(control, "UpdateCertificate", "PUT", "/certificates/{certificateId}",
              update_certificate),
  };
}

}  // namespace andon::api
