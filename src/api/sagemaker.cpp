// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker.hpp"

#include "api/members.hpp"
#include "api/sagemaker_members.hpp"
#include "api/sagemaker_rows.hpp"
#include "base/error.hpp"

namespace andon::api {
namespace {

json::value create_group(const SageMaker& service, const json::object& input) {
  const std::string name = required_text(input, "ModelPackageGroupName");
  const control::TagMap tags = read_tags(input);
  service.registry.create_group(name, read_description(input, "ModelPackageGroupDescription"));
  const std::string arn = group_arn(service.arns, name);
  if (!tags.empty()) service.registry.tags().set(arn, tags);
  return json::object{{"ModelPackageGroupArn", arn}};
}

json::object summarize(const SageMaker& service, const control::ModelPackageGroup& group) {
  json::object summary{{"ModelPackageGroupName", group.name},
                       {"ModelPackageGroupArn", group_arn(service.arns, group.name)}};
  put_unless_empty(summary, "ModelPackageGroupDescription", group.description);
  summary["CreationTime"] = base::to_epoch_seconds(group.created);
  summary["ModelPackageGroupStatus"] = "Completed";
  return summary;
}

json::value describe_group(const SageMaker& service, const json::object& input) {
  const std::string name = read_group_name(input, "ModelPackageGroupName");
  const auto group = service.registry.find_group(name);
  if (!group) {
    throw base::Error(base::ErrorCode::not_found,
                      "ModelPackageGroup " + group_arn(service.arns, name) + " does not exist.");
  }
  json::object output = summarize(service, *group);
  output["CreatedBy"] = json::object();
  return output;
}

json::value list_groups(const SageMaker& service, const json::object& input) {
  const auto page = service.registry.list_groups(read_filter(input), read_registry_page(input));
  json::array list;
  for (const control::ModelPackageGroup& group : page.items) {
    list.push_back(summarize(service, group));
  }
  json::object output{{"ModelPackageGroupSummaryList", std::move(list)}};
  put_next_token(output, page.next);
  return output;
}

json::value delete_group(const SageMaker& service, const json::object& input) {
  service.registry.delete_group(read_group_name(input, "ModelPackageGroupName"));
  return nullptr;
}

}  // namespace

std::vector<Operation> sagemaker_operations(control::ModelRegistry& registry,
                                            const control::Arns& arns) {
  const SageMaker service{registry, arns};
  const auto bind = [&](auto function) {
    return [service, function](const json::object& input) { return function(service, input); };
  };
  std::vector<Operation> rows{
      sagemaker_row("CreateModelPackageGroup", bind(create_group)),
      sagemaker_row("DescribeModelPackageGroup", bind(describe_group)),
      sagemaker_row("ListModelPackageGroups", bind(list_groups)),
      sagemaker_row("DeleteModelPackageGroup", bind(delete_group)),
  };
  add_package_rows(rows, service);
  return rows;
}

}  // namespace andon::api
