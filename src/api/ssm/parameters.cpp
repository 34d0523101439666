// SPDX-License-Identifier: Apache-2.0
// Parameters put, read and deleted.
#include <algorithm>

#include "api/ssm/rows.hpp"
#include "base/error/error.hpp"
#include "control/parameters/rules.hpp"

namespace andon::api::ssm {
namespace {

using base::Error;
using base::ErrorCode;
using control::NewParameter;

NewParameter::Tier read_tier(const json::object& input) {
  const auto tier = maybe_text(input, "Tier");
  if (!tier) return NewParameter::Tier::as_it_was;
  if (*tier == "Advanced") return NewParameter::Tier::advanced;
  return *tier == "Standard" ? NewParameter::Tier::standard : NewParameter::Tier::by_size;
}

// What AWS has and this server does not.
void refuse_unsupported(const json::object& input) {
  const auto data_type = maybe_text(input, "DataType");
  if (data_type && *data_type != "text") {
    throw Error(ErrorCode::unsupported,
                "DataType: this server has text only, and not " + data_type->substr(0, 100));
  }
  const auto key = maybe_text(input, "KeyId");
  if (key && *key != control::kParameterKeyId) {
    throw ServiceError(400, "InvalidKeyId",
                       "KeyId: there is one key here, that of the server: leave it out, or give " +
                           std::string(control::kParameterKeyId));
  }
}

json::value put(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  refuse_unsupported(input);
  NewParameter wanted{.name = *maybe_text(input, "Name"),
                      .value = *maybe_text(input, "Value"),
                      .type = {},
                      .description = maybe_text(input, "Description"),
                      .allowed_pattern = maybe_text(input, "AllowedPattern"),
                      .tier = read_tier(input),
                      .by = context.caller.principal,
                      .tags = read_tag_list(input)};
  if (const auto type = maybe_text(input, "Type")) wanted.type = control::parameter_type(*type);
  if (const auto principal = service.iam.principals.find(context.caller.principal)) {
    wanted.by = principal->arn;
  }
  if (flag(input, "Overwrite")) {
    if (!wanted.tags.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  "Invalid request: tags and overwrite can't be used together. To create a "
                  "parameter with tags, please remove overwrite flag. To update tags for an "
                  "existing parameter, please use AddTagsToResource or RemoveTagsFromResource.");
    }
    wanted.existing = NewParameter::Existing::overwrite;
  }
  const auto outcome = service.parameters.put(wanted);
  return json::object{{"Version", outcome.version}, {"Tier", to_string(outcome.tier)}};
}

std::string selector_of(const std::string& reference) {
  return control::parse_parameter_reference(reference).selector;
}

json::value get(const Service& service, const OperationContext& context) {
  const std::string name = *maybe_text(context.input, "Name");
  const auto parameter = service.parameters.get(name, reveal_of(context.input));
  return json::object{{"Parameter", told(service, parameter, selector_of(name))}};
}

// Each once, in their order.
std::vector<std::string> read_names(const json::object& input) {
  std::vector<std::string> names;
  for (std::string& name : text_list(input, "Names")) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

json::value get_some(const Service& service, const OperationContext& context) {
  json::array found;
  json::array invalid;
  for (const std::string& name : read_names(context.input)) {
    const auto parameter = service.parameters.find(name, reveal_of(context.input));
    if (parameter) {
      found.push_back(told(service, *parameter, selector_of(name)));
    } else {
      invalid.emplace_back(name);
    }
  }
  return json::object{{"Parameters", std::move(found)}, {"InvalidParameters", std::move(invalid)}};
}

json::value remove(const Service& service, const OperationContext& context) {
  const std::string name = *maybe_text(context.input, "Name");
  if (!service.parameters.remove(name)) {
    throw ServiceError(400, "ParameterNotFound", "there is no parameter '" + name + "'");
  }
  return json::object();
}

json::value remove_some(const Service& service, const OperationContext& context) {
  json::array deleted;
  json::array invalid;
  for (const std::string& name : read_names(context.input)) {
    (service.parameters.remove(name) ? deleted : invalid).emplace_back(name);
  }
  return json::object{{"DeletedParameters", std::move(deleted)},
                      {"InvalidParameters", std::move(invalid)}};
}

}  // namespace

std::vector<Operation> parameter_rows(const Service& service) {
  constexpr auto kMostBytes = static_cast<std::int64_t>(control::Parameters::kAdvancedBytes);
  const MemberRule name = needed(name_rule());
  const MemberRule names = needed(list_rule("Names", 1, 10));
  const MemberRule with_decryption = flag_rule("WithDecryption");
  return {
      row(service, "PutParameter",
          {name, text("Description", 0, 1024), needed(rules::secret("Value", kMostBytes, 1)),
           word("Type", {"String", "StringList", "SecureString"}), text("KeyId", 1, 256),
           flag_rule("Overwrite"), text("AllowedPattern", 0, 1024), list_rule("Tags", 0, 50),
           word("Tier", {"Standard", "Advanced", "Intelligent-Tiering"}), text("DataType", 0, 128)},
          put),
      row(service, "GetParameter", {name, with_decryption}, get),
      row(service, "GetParameters", {names, with_decryption}, get_some),
      row(service, "DeleteParameter", {name}, remove),
      row(service, "DeleteParameters", {names}, remove_some)};
}

}  // namespace andon::api::ssm
