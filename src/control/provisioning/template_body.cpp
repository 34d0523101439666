// SPDX-License-Identifier: Apache-2.0
#include "control/provisioning/template_body.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "stacks/language/resolver.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::string_view kThing = "AWS::IoT::Thing";
constexpr std::string_view kCertificate = "AWS::IoT::Certificate";
constexpr std::string_view kPolicy = "AWS::IoT::Policy";
constexpr std::size_t kMostParameters = 100;
constexpr std::size_t kMostResources = 12;
constexpr std::size_t kMostGroups = 10;
constexpr base::JsonLimits kLimits{.max_bytes = kMostTemplateBodyBytes, .max_depth = 24};

[[noreturn]] void refuse(const std::string& place, const std::string& why,
                         ErrorCode code = ErrorCode::invalid_argument) {
  throw Error(code, "templateBody." + place + ": " + why);
}

const json::object& object_at(const json::value& value, const std::string& place) {
  const json::object* object = value.if_object();
  if (object == nullptr) refuse(place, "must be an object");
  return *object;
}

// A key in any case, as the names of AWS's templates come ("ThingName", "thingName").
const json::value* find(const json::object& object, std::string_view key) {
  for (const auto& [name, value] : object) {
    if (base::equal_ignoring_case(std::string_view(name), key)) return &value;
  }
  return nullptr;
}

void allow_only(const json::object& object, const std::string& place,
                std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : object) {
    const std::string_view key(name);
    const bool is_known = std::any_of(known.begin(), known.end(), [key](std::string_view one) {
      return base::equal_ignoring_case(key, one);
    });
    if (!is_known) {
      refuse(place + "." + std::string(name).substr(0, 100), "is not known here; leave it out",
             ErrorCode::unsupported);
    }
  }
}

Override read_override(const json::object& overrides, std::string_view key, bool may_merge,
                       const std::string& place) {
  constexpr std::array<std::pair<std::string_view, Override>, 4> kWords{
      {{"DO_NOTHING", Override::leave},
       {"REPLACE", Override::replace},
       {"MERGE", Override::merge},
       {"FAIL", Override::fail}}};
  const json::value* value = find(overrides, key);
  if (value == nullptr) return Override::leave;
  for (const auto& [word, meaning] : kWords) {
    if (value->is_string() && value->get_string() == word &&
        (may_merge || meaning != Override::merge)) {
      return meaning;
    }
  }
  refuse(place + "." + std::string(key), may_merge ? "must be DO_NOTHING, REPLACE, MERGE or FAIL"
                                                   : "must be DO_NOTHING, REPLACE or FAIL");
}

std::string text_of(const json::object& properties, std::string_view key,
                    const std::string& place) {
  const json::value* value = find(properties, key);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_int64()) return std::to_string(value->get_int64());
  refuse(place + "." + std::string(key), "must come to a text");
}

std::map<std::string, std::string> texts_of(const json::value* value, const std::string& place) {
  std::map<std::string, std::string> texts;
  if (value == nullptr) return texts;
  for (const auto& [key, inner] : object_at(*value, place)) {
    if (inner.is_string()) {
      texts.emplace(std::string(key), std::string(inner.get_string()));
    } else if (inner.is_int64() || inner.is_bool() || inner.is_double()) {
      texts.emplace(std::string(key), base::to_text(inner));
    } else {
      refuse(place + "." + std::string(key), "must come to a text");
    }
  }
  return texts;
}

ThingWish read_thing(const json::object& properties, const json::object& overrides,
                     const std::string& place) {
  const std::string at = place + ".Properties";
  allow_only(properties, at,
             {"ThingName", "ThingTypeName", "AttributePayload", "ThingGroups", "BillingGroup"});
  if (find(properties, "BillingGroup") != nullptr) {
    refuse(at + ".BillingGroup", "this server has no billing groups; leave it out",
           ErrorCode::unsupported);
  }
  ThingWish thing;
  thing.name = text_of(properties, "ThingName", at);
  if (thing.name.empty()) refuse(at + ".ThingName", "is missing or comes to nothing");
  thing.type_name = text_of(properties, "ThingTypeName", at);
  thing.attributes = texts_of(find(properties, "AttributePayload"), at + ".AttributePayload");
  thing.attributes.erase("version");  // of AWS's examples, where it says nothing
  if (const json::value* groups = find(properties, "ThingGroups")) {
    const json::array* list = groups->if_array();
    if (list == nullptr || list->size() > kMostGroups) {
      refuse(at + ".ThingGroups", "must be a list of at most 10 names");
    }
    for (const json::value& group : *list) {
      if (!group.is_string()) refuse(at + ".ThingGroups", "must be a list of names");
      thing.groups.emplace_back(group.get_string());
    }
  }
  const std::string settings = place + ".OverrideSettings";
  allow_only(overrides, settings, {"AttributePayload", "ThingTypeName", "ThingGroups"});
  thing.on_type = read_override(overrides, "ThingTypeName", false, settings);
  thing.on_attributes = read_override(overrides, "AttributePayload", true, settings);
  thing.on_groups = read_override(overrides, "ThingGroups", true, settings);
  return thing;
}

CertificateWish read_certificate(const json::object& properties, const std::string& place) {
  allow_only(properties, place,
             {"CertificateId", "CertificateSigningRequest", "Status", "ThingPrincipalType"});
  CertificateWish certificate;
  certificate.id = text_of(properties, "CertificateId", place);
  certificate.csr = text_of(properties, "CertificateSigningRequest", place);
  if (!certificate.id.empty() && !certificate.csr.empty()) {
    refuse(place, "has both CertificateId and CertificateSigningRequest");
  }
  const std::string status = text_of(properties, "Status", place);
  if (base::equal_ignoring_case(status, "inactive")) {
    certificate.is_active = false;
  } else if (!status.empty() && !base::equal_ignoring_case(status, "active")) {
    refuse(place + ".Status", "must be ACTIVE or INACTIVE");
  }
  return certificate;
}

PolicyWish read_policy(const json::object& properties, const std::string& place) {
  allow_only(properties, place, {"PolicyName", "PolicyDocument"});
  PolicyWish policy{text_of(properties, "PolicyName", place), {}};
  if (const json::value* document = find(properties, "PolicyDocument")) {
    policy.document =
        document->is_string() ? std::string(document->get_string()) : base::to_text(*document);
  }
  if (policy.name.empty() == policy.document.empty()) {
    refuse(place, "must have one of PolicyName and PolicyDocument");
  }
  return policy;
}

bool refers_to(const json::value& value, const std::string& parameter) {
  if (const json::object* object = value.if_object()) {
    return std::any_of(object->begin(), object->end(), [&](const auto& one) {
      const bool is_it =
          one.key() == "Ref" && one.value().is_string() && one.value().get_string() == parameter;
      return is_it || refers_to(one.value(), parameter);
    });
  }
  if (const json::array* array = value.if_array()) {
    return std::any_of(array->begin(), array->end(),
                       [&](const json::value& one) { return refers_to(one, parameter); });
  }
  return value.is_string() && std::string_view(value.get_string()).find("${" + parameter + "}") !=
                                  std::string_view::npos;
}

// What a device says of itself names it in a policy, and widens it to nothing else: these stand for
// several in a resource, a topic filter or a policy's variable, or end a text of JSON.
void check_for_policy(const json::object& properties,
                      const std::map<std::string, std::string>& given) {
  for (const auto& [name, value] : given) {
    const bool is_plain = std::none_of(value.begin(), value.end(), [](char c) {
      return base::is_control(c) || std::string_view("*?$+#\"\\").find(c) != std::string_view::npos;
    });
    if (!is_plain && refers_to(properties, name)) {
      throw Error(ErrorCode::invalid_argument,
                  "parameters." + name +
                      ": is part of a policy, and may have none of * ? $ + # \" \\ there");
    }
  }
}

std::map<std::string, std::optional<std::string>> read_parameters(const json::object& document) {
  std::map<std::string, std::optional<std::string>> parameters;
  const json::value* section = find(document, "Parameters");
  if (section == nullptr) return parameters;
  for (const auto& [key, value] : object_at(*section, "Parameters")) {
    const std::string name(key);
    const std::string place = "Parameters." + name;
    if (name.size() > 128) refuse("Parameters", "a name has more than 128 bytes");
    const json::object& parameter = object_at(value, place);
    const JsonReader reader(parameter, "templateBody." + place, {.separator = ": "});
    if (const auto type = reader.optional_string("Type"); type && *type != "String") {
      reader.fail("Type", "must be String");
    }
    parameters[name] = reader.optional_string("Default");
    if (parameters.size() > kMostParameters) refuse("Parameters", "are more than 100");
  }
  return parameters;
}

}  // namespace

TemplateBody TemplateBody::parse(std::string_view text) {
  if (text.size() > kMostTemplateBodyBytes) {
    throw Error(ErrorCode::invalid_argument, "templateBody: has more than 10240 bytes");
  }
  const json::value document = base::parse_json(text, "templateBody", kLimits);
  if (!document.is_object()) {
    throw Error(ErrorCode::invalid_argument, "templateBody: must be a JSON object");
  }
  const json::object& root = document.get_object();
  TemplateBody body;
  body.parameters_ = read_parameters(root);
  if (const json::value* mappings = find(root, "Mappings")) {
    body.mappings_ = object_at(*mappings, "Mappings");
  }
  if (const json::value* configuration = find(root, "DeviceConfiguration")) {
    body.device_configuration_ = object_at(*configuration, "DeviceConfiguration");
  }
  const json::value* resources = find(root, "Resources");
  if (resources == nullptr) refuse("Resources", "is missing");
  std::size_t things = 0;
  std::size_t certificates = 0;
  for (const auto& [key, value] : object_at(*resources, "Resources")) {
    Resource resource{.id = std::string(key), .type = {}, .properties = {}, .overrides = {}};
    const std::string place = "Resources." + resource.id.substr(0, 100);
    const json::object& given = object_at(value, place);
    const json::value* type = find(given, "Type");
    if (type == nullptr || !type->is_string()) refuse(place + ".Type", "is missing");
    resource.type = std::string(type->get_string());
    if (resource.type != kThing && resource.type != kCertificate && resource.type != kPolicy) {
      refuse(place + ".Type", "must be AWS::IoT::Thing, AWS::IoT::Certificate or AWS::IoT::Policy");
    }
    if (resource.type == kThing) ++things;
    if (resource.type == kCertificate) ++certificates;
    if (const json::value* properties = find(given, "Properties")) {
      resource.properties = object_at(*properties, place + ".Properties");
    }
    if (const json::value* overrides = find(given, "OverrideSettings")) {
      resource.overrides = object_at(*overrides, place + ".OverrideSettings");
    }
    body.resources_.push_back(std::move(resource));
    if (body.resources_.size() > kMostResources) refuse("Resources", "are more than 12");
  }
  if (things > 1 || certificates > 1) {
    refuse("Resources", "may have one thing and one certificate");
  }
  // With something for each parameter, what does not depend on its values is seen now.
  std::map<std::string, std::string> some;
  for (const auto& [name, standard] : body.parameters_) some[name] = standard.value_or("x");
  (void)body.fill_in(some);
  return body;
}

Provisioning TemplateBody::fill_in(const std::map<std::string, std::string>& given) const {
  json::object values;
  for (const auto& [name, standard] : parameters_) {
    const auto found = given.find(name);
    if (found != given.end()) {
      values[name] = found->second;
    } else if (standard) {
      values[name] = *standard;
    } else {
      throw Error(ErrorCode::invalid_argument,
                  "parameters." + name + ": is missing, and the template has no Default for it");
    }
  }
  stacks::Template language;
  language.mappings = mappings_;
  const stacks::Resolver resolver(language, std::move(values), {});
  Provisioning filled;
  for (const Resource& resource : resources_) {
    const std::string place = "Resources." + resource.id;
    const json::object properties =
        resolver.resolve_object(resource.properties, "templateBody." + place + ".Properties");
    if (resource.type == kThing) {
      filled.thing = {resource.id, read_thing(properties, resource.overrides, place)};
    } else if (resource.type == kCertificate) {
      filled.certificate = {resource.id, read_certificate(properties, place + ".Properties")};
    } else {
      check_for_policy(resource.properties, given);
      filled.policies[resource.id] = read_policy(properties, place + ".Properties");
    }
  }
  const json::object configuration =
      resolver.resolve_object(device_configuration_, "templateBody.DeviceConfiguration");
  const json::value shown(configuration);
  filled.device_configuration = texts_of(&shown, "DeviceConfiguration");
  return filled;
}

}  // namespace andon::control
