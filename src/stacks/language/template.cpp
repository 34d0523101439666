// SPDX-License-Identifier: Apache-2.0
#include "stacks/language/template.hpp"

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"

namespace andon::stacks {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr base::JsonReading kReading{.texts = base::JsonReading::Texts::as_values,
                                     .separator = ": "};
constexpr std::size_t kLongestId = 255;

[[noreturn]] void refuse(const std::string& place, std::string_view why) {
  throw Error(ErrorCode::invalid_argument, place + ": " + std::string(why));
}

void check_id(const std::string& place, std::string_view id) {
  if (id.size() > kLongestId || !base::is_name_of(id, "")) {
    refuse(place, "a logical id is made of letters and digits, up to 255");
  }
}

// A number or flag as its text.
std::string text_of(const json::value& value, const std::string& place) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_number() || value.is_bool()) return base::to_text(value);
  refuse(place, "must be a text");
}

const json::object& object_of(const json::value& value, const std::string& place) {
  if (!value.is_object()) refuse(place, "must be an object");
  return value.get_object();
}

// A text, or a list of them.
std::vector<std::string> texts_of(const json::value* value, const std::string& place) {
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_array()) return {text_of(*value, place)};
  std::vector<std::string> texts;
  for (const json::value& one : value->get_array()) texts.push_back(text_of(one, place));
  return texts;
}

std::optional<double> number_of(const JsonReader& reader, std::string_view key) {
  return reader.optional_number(key);
}

Parameter read_parameter(std::string_view name, const json::value& value) {
  const std::string place = "Parameters." + std::string(name);
  const JsonReader reader(object_of(value, place), place, kReading);
  reader.allow_only({"Type", "Default", "AllowedValues", "AllowedPattern", "MinValue", "MaxValue",
                     "MinLength", "MaxLength", "Description", "ConstraintDescription", "NoEcho"});
  Parameter parameter;
  parameter.name = std::string(name);
  check_id(place, parameter.name);
  parameter.type = reader.required_text("Type");
  if (const auto* standard = reader.find("Default")) parameter.standard = *standard;
  parameter.allowed = texts_of(reader.find("AllowedValues"), place + ".AllowedValues");
  parameter.pattern = reader.optional_string("AllowedPattern").value_or("");
  parameter.least = number_of(reader, "MinValue");
  parameter.most = number_of(reader, "MaxValue");
  parameter.shortest = reader.optional_integer("MinLength");
  parameter.longest = reader.optional_integer("MaxLength");
  parameter.description = reader.optional_string("Description").value_or("");
  parameter.constraint = reader.optional_string("ConstraintDescription").value_or("");
  parameter.is_secret = reader.optional_bool("NoEcho").value_or(false);
  return parameter;
}

Policy read_policy(const JsonReader& reader, std::string_view key) {
  const std::string word = reader.optional_string(key).value_or("Delete");
  if (word == "Delete") return Policy::remove;
  if (word == "Retain") return Policy::retain;
  if (word == "RetainExceptOnCreate") return Policy::retain_except_on_create;
  if (word == "Snapshot") {
    reader.fail(key, "Snapshot: nothing here can be snapshotted; say Retain or Delete");
  }
  reader.fail(key, "must be Delete, Retain or RetainExceptOnCreate");
}

Resource read_resource(std::string_view id, const json::value& value) {
  const std::string place = "Resources." + std::string(id);
  check_id(place, id);
  const JsonReader reader(object_of(value, place), place, kReading);
  reader.allow_only({"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy",
                     "UpdateReplacePolicy", "Metadata", "UpdatePolicy", "CreationPolicy",
                     "Version"});
  Resource resource;
  resource.id = std::string(id);
  resource.type = reader.required_text("Type");
  if (const auto* properties = reader.optional_object("Properties")) {
    resource.properties = *properties;
  }
  resource.depends_on = texts_of(reader.find("DependsOn"), place + ".DependsOn");
  resource.condition = reader.optional_string("Condition").value_or("");
  resource.on_removal = read_policy(reader, "DeletionPolicy");
  resource.on_replacement = read_policy(reader, "UpdateReplacePolicy");
  return resource;
}

Output read_output(std::string_view id, const json::value& value) {
  const std::string place = "Outputs." + std::string(id);
  check_id(place, id);
  const JsonReader reader(object_of(value, place), place, kReading);
  reader.allow_only({"Value", "Export", "Condition", "Description"});
  Output output;
  output.id = std::string(id);
  const auto* given = reader.find("Value");
  if (given == nullptr) reader.fail("Value", "is missing");
  output.value = *given;
  if (const auto* exported = reader.optional_object("Export")) {
    const auto* name = exported->if_contains("Name");
    if (name == nullptr) reader.fail("Export.Name", "is missing");
    output.export_name = *name;
  }
  output.condition = reader.optional_string("Condition").value_or("");
  output.description = reader.optional_string("Description").value_or("");
  return output;
}

template <typename Item, typename Read>
std::vector<Item> read_section(const JsonReader& document, std::string_view key, std::size_t most,
                               const Read& read) {
  std::vector<Item> items;
  const auto* section = document.optional_object(key);
  if (section == nullptr) return items;
  if (section->size() > most) {
    document.fail(key, "has " + std::to_string(section->size()) + " members, more than the " +
                           std::to_string(most) + " that a template may have");
  }
  for (const auto& [name, value] : *section) items.push_back(read(name, value));
  return items;
}

void check_conditions(const Template& read) {
  const auto check = [&read](const std::string& place, const std::string& condition) {
    if (condition.empty() || read.conditions.contains(condition)) return;
    refuse(place, "the condition " + condition + " is not among the template's Conditions");
  };
  for (const Resource& resource : read.resources) {
    check("Resources." + resource.id, resource.condition);
    for (const std::string& other : resource.depends_on) {
      if (read.find_resource(other) == nullptr) {
        refuse("Resources." + resource.id + ".DependsOn", "there is no resource " + other);
      }
    }
  }
  for (const Output& output : read.outputs) check("Outputs." + output.id, output.condition);
}

}  // namespace

const Resource* Template::find_resource(std::string_view id) const {
  const auto found = std::ranges::find(resources, id, &Resource::id);
  return found == resources.end() ? nullptr : &*found;
}

const Parameter* Template::find_parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

Template read_template(const json::value& document, std::string_view what) {
  if (!document.is_object()) refuse(std::string(what), "a template is an object");
  Template read;
  read.document = document.get_object();
  const JsonReader reader(read.document, "", kReading);
  reader.allow_only({"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules",
                     "Mappings", "Conditions", "Transform", "Resources", "Outputs"});
  if (const auto version = reader.optional_string("AWSTemplateFormatVersion")) {
    if (*version != "2010-09-09") {
      reader.fail("AWSTemplateFormatVersion", "must be 2010-09-09");
    }
  }
  read.transforms = texts_of(reader.find("Transform"), "Transform");
  for (const std::string& transform : read.transforms) {
    if (transform == "AWS::LanguageExtensions") continue;
    throw Error(ErrorCode::unsupported,
                "Transform: this server has no macro " + transform +
                    "; give the template as it is after the macro (`sam build` with `sam "
                    "package`, `cdk synth`)");
  }
  read.description = reader.optional_string("Description").value_or("");
  read.parameters = read_section<Parameter>(reader, "Parameters", kMostParameters, read_parameter);
  if (const auto* mappings = reader.optional_object("Mappings")) read.mappings = *mappings;
  if (const auto* conditions = reader.optional_object("Conditions")) read.conditions = *conditions;
  if (const auto* rules = reader.optional_object("Rules")) {
    for (const auto& [name, rule] : *rules) read.rules.emplace_back(name);
  }
  read.resources = read_section<Resource>(reader, "Resources", kMostResources, read_resource);
  if (read.resources.empty()) {
    reader.fail("Resources", "is missing or empty: a template has at least one resource");
  }
  read.outputs = read_section<Output>(reader, "Outputs", kMostOutputs, read_output);
  check_conditions(read);
  return read;
}

Template read_template(std::string_view text, std::string_view what) {
  return read_template(parse_document(text, what), what);
}

}  // namespace andon::stacks
