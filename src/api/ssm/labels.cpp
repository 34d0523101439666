// SPDX-License-Identifier: Apache-2.0
// Labels of versions, and tags of parameters.
#include <limits>

#include "api/ssm/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api::ssm {
namespace {

json::value label(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  const auto outcome = service.parameters.label(*maybe_text(input, "Name"),
                                                optional_number(input, "ParameterVersion"),
                                                text_list(input, "Labels"));
  return json::object{{"InvalidLabels", to_array(outcome.invalid)},
                      {"ParameterVersion", outcome.version}};
}

json::value unlabel(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  const auto outcome = service.parameters.unlabel(*maybe_text(input, "Name"),
                                                  *optional_number(input, "ParameterVersion"),
                                                  text_list(input, "Labels"));
  return json::object{{"RemovedLabels", to_array(outcome.done)},
                      {"InvalidLabels", to_array(outcome.invalid)}};
}

// The name of the parameter whose tags are meant.
std::string resource_of(const json::object& input) {
  const std::string type = *maybe_text(input, "ResourceType");
  if (type != "Parameter") {
    throw ServiceError(
        400, "InvalidResourceType",
        "ResourceType: this server has Parameter only, and not " + type.substr(0, 100));
  }
  return *maybe_text(input, "ResourceId");
}

template <typename Call>
json::value on_resource(const Call& call) {
  try {
    return call();
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::not_found) throw;
    throw ServiceError(400, "InvalidResourceId", error.message());
  }
}

json::value tag(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  return on_resource([&] {
    service.parameters.tag(resource_of(input), read_tag_list(input));
    return json::object();
  });
}

json::value untag(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  return on_resource([&] {
    service.parameters.untag(resource_of(input), text_list(input, "TagKeys"));
    return json::object();
  });
}

json::value tags(const Service& service, const OperationContext& context) {
  return on_resource([&] {
    return json::object{{"TagList", tag_list(service.parameters.tags(resource_of(context.input)))}};
  });
}

}  // namespace

std::vector<Operation> label_rows(const Service& service) {
  const MemberRule name = needed(name_rule());
  const MemberRule labels = needed(list_rule("Labels", 1, 10));
  const MemberRule version =
      number("ParameterVersion", 1, std::numeric_limits<std::int64_t>::max());
  const MemberRule type = needed(text("ResourceType", 1, 64));
  const MemberRule id = needed(text("ResourceId", 1, 2048));
  return {row(service, "LabelParameterVersion", {name, version, labels}, label),
          row(service, "UnlabelParameterVersion", {name, needed(version), labels}, unlabel),
          row(service, "AddTagsToResource", {type, id, needed(list_rule("Tags", 0, 50))}, tag),
          row(service, "RemoveTagsFromResource", {type, id, needed(list_rule("TagKeys", 0, 50))},
              untag),
          row(service, "ListTagsForResource", {type, id}, tags)};
}

}  // namespace andon::api::ssm
