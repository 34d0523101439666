// SPDX-License-Identifier: Apache-2.0
// Tags of what the control plane keeps for AWS IoT.
#include <array>
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

// Throws not_found.
using Require = void (*)(const control::ControlPlane&, const std::string& name);

void require_group(const control::ControlPlane& control, const std::string& name) {
  if (!control.things.find_group(name)) {
    throw Error(ErrorCode::not_found, "there is no thing group \"" + name + "\"");
  }
}

void require_type(const control::ControlPlane& control, const std::string& name) {
  if (!control.thing_types.find(name)) {
    throw Error(ErrorCode::not_found, "there is no thing type \"" + name + "\"");
  }
}

void require_job(const control::ControlPlane& control, const std::string& name) {
  (void)control.iot_jobs.require(name);
}

void require_job_template(const control::ControlPlane& control, const std::string& name) {
  if (!control.iot_jobs.find_template(name)) {
    throw Error(ErrorCode::not_found, "there is no job template \"" + name + "\"");
  }
}

void require_provisioning_template(const control::ControlPlane& control, const std::string& name) {
  (void)control.provisioning_templates.require(name);
}

constexpr std::array<std::pair<std::string_view, Require>, 5> kTagged{
    {{"thinggroup/", require_group},
     {"thingtype/", require_type},
     {"job/", require_job},
     {"jobtemplate/", require_job_template},
     {"provisioningtemplate/", require_provisioning_template}}};

// The ARN of what is there.
std::string read_resource(const control::ControlPlane& control, const OperationContext& context) {
  std::string arn = required_text(context.input, "resourceArn");
  for (const auto& [kind, require] : kTagged) {
    const std::string prefix = control.arns.target(kind);
    if (!arn.starts_with(prefix)) continue;
    require(control, arn.substr(prefix.size()));
    return arn;
  }
  throw Error(ErrorCode::invalid_argument,
              "resourceArn: must be the ARN of a thing group, thing type, job, job template or "
              "provisioning template; nothing else of AWS IoT has tags here");
}

json::value tag(control::ControlPlane& control, const OperationContext& context) {
  control.tags.set(read_resource(control, context), read_iot_tags(context.input));
  return json::object{};
}

json::value untag(control::ControlPlane& control, const OperationContext& context) {
  control.tags.remove(read_resource(control, context), text_list(context.input, "tagKeys"));
  return json::object{};
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  // All of them fit one page.
  return json::object{{"tags", tag_list(control.tags.of(read_resource(control, context)))}};
}

}  // namespace

std::vector<Operation> iot_tag_operations(control::ControlPlane& control) {
  return {
      iot_row(control, "TagResource", "POST", "/tags", tag),
      iot_row(control, "UntagResource", "POST", "/untag", untag),
      iot_row(control, "ListTagsForResource", "GET", "/tags", list),
  };
}

}  // namespace andon::api
