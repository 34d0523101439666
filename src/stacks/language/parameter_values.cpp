// SPDX-License-Identifier: Apache-2.0
#include "stacks/language/parameter_values.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "query/regex/regex.hpp"

namespace andon::stacks {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kLongest = 4096;
constexpr std::string_view kStoredValue = "AWS::SSM::Parameter::Value<";

[[noreturn]] void refuse(const Parameter& parameter, const std::string& why) {
  throw Error(ErrorCode::invalid_argument,
              "Parameters." + parameter.name + ": " +
                  (parameter.constraint.empty() ? why : parameter.constraint + " (" + why + ")"));
}

bool is_list(std::string_view type) {
  return type == "CommaDelimitedList" || type.starts_with("List<");
}

bool is_number(std::string_view type) {
  return type == "Number" || type == "List<Number>";
}

bool is_known(std::string_view type) {
  return type == "String" || type == "Number" || type == "CommaDelimitedList" ||
         type == "List<Number>" || type == "List<String>" || type == "AWS::SSM::Parameter::Name";
}

std::string default_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (const auto* list = value.if_array()) {
    std::string text;
    for (const json::value& one : *list) text += (text.empty() ? "" : ",") + default_text(one);
    return text;
  }
  return base::to_text(value);
}

void check_one(const Parameter& parameter, std::string_view type, const std::string& text) {
  if (!parameter.allowed.empty() &&
      std::ranges::find(parameter.allowed, text) == parameter.allowed.end()) {
    refuse(parameter, "'" + text + "' must be one of " +
                          base::join(std::span<const std::string>(parameter.allowed), ", "));
  }
  if (is_number(type)) {
    const auto number = base::parse_number(text);
    if (!number) refuse(parameter, "'" + text + "' must be a number");
    if (parameter.least && *number < *parameter.least) {
      refuse(parameter, text + " must be at least " + base::number_text(*parameter.least));
    }
    if (parameter.most && *number > *parameter.most) {
      refuse(parameter, text + " must be at most " + base::number_text(*parameter.most));
    }
    return;
  }
  const auto length = static_cast<std::int64_t>(text.size());
  if (parameter.shortest && length < *parameter.shortest) {
    refuse(parameter, "must have at least " + std::to_string(*parameter.shortest) + " characters");
  }
  if (parameter.longest && length > *parameter.longest) {
    refuse(parameter, "must have at most " + std::to_string(*parameter.longest) + " characters");
  }
  if (!parameter.pattern.empty() && !query::Regex(parameter.pattern, {}).matches_all(text)) {
    refuse(parameter, "must match " + parameter.pattern);
  }
}

json::value value_of(const Parameter& parameter, std::string_view type, const std::string& text) {
  if (!is_list(type)) {
    check_one(parameter, type, text);
    return json::value(text);
  }
  json::array list;
  for (const std::string_view part : base::split(text, ',')) {
    const std::string one(base::trim(part));
    check_one(parameter, type, one);
    list.emplace_back(one);
  }
  return list;
}

// Whether a Ref or a Sub names it, the Rules left aside.
bool is_used(const json::value& value, const std::string& name) {
  if (const auto* list = value.if_array()) {
    return std::ranges::any_of(*list, [&](const json::value& one) { return is_used(one, name); });
  }
  if (const auto* object = value.if_object()) {
    return std::ranges::any_of(*object, [&](const auto& member) {
      if (member.key() == "Ref" && member.value().is_string() &&
          member.value().get_string() == name) {
        return true;
      }
      return is_used(member.value(), name);
    });
  }
  return value.is_string() &&
         std::string_view(value.get_string()).find("${" + name + "}") != std::string_view::npos;
}

bool is_used(const Template& read, const std::string& name) {
  return std::ranges::any_of(read.document, [&](const auto& section) {
    return section.key() != "Rules" && section.key() != "Parameters" &&
           is_used(section.value(), name);
  });
}

}  // namespace

ParameterValues parameter_values(const Template& read,
                                 const std::map<std::string, std::string>& given,
                                 const Place& place, const Stored& stored) {
  ParameterValues made;
  for (const auto& [name, value] : given) {
    if (read.find_parameter(name) == nullptr) {
      throw Error(ErrorCode::invalid_argument, "Parameters: the template has no parameter " + name);
    }
    if (value.size() > kLongest) {
      throw Error(ErrorCode::invalid_argument,
                  "Parameters." + name + ": has more than 4096 characters");
    }
  }
  for (const Parameter& parameter : read.parameters) {
    std::string text;
    if (const auto found = given.find(parameter.name); found != given.end()) {
      text = found->second;
    } else if (parameter.standard) {
      text = default_text(*parameter.standard);
    } else {
      refuse(parameter,
             "has no Default and no value was given (--parameter " + parameter.name + "=...)");
    }
    std::string type = parameter.type;
    made.texts[parameter.name] = text;
    if (type.starts_with(kStoredValue) && type.ends_with('>')) {
      type = type.substr(kStoredValue.size(), type.size() - kStoredValue.size() - 1);
      const auto value = stored ? stored(text) : std::nullopt;
      if (!value && !is_used(read, parameter.name)) {
        made.left_out[parameter.name] =
            "nothing but Rules uses it, and there is no parameter " + text + " in the store";
        continue;
      }
      if (!value) refuse(parameter, "there is no parameter " + text + " in the store");
      text = *value;
    }
    if (!is_known(type)) {
      refuse(parameter, "this server does not have the type " + parameter.type);
    }
    made.values[parameter.name] = value_of(parameter, type, text);
  }
  made.values["AWS::AccountId"] = place.account;
  made.values["AWS::Region"] = place.region;
  made.values["AWS::Partition"] = "aws";
  made.values["AWS::URLSuffix"] = "amazonaws.com";
  made.values["AWS::StackName"] = place.stack_name;
  made.values["AWS::StackId"] = place.stack_id;
  made.values["AWS::NotificationARNs"] = json::array{};
  return made;
}

}  // namespace andon::stacks
