// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/sagemaker.hpp"

#include "api/sagemaker/members.hpp"
#include "api/sagemaker/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

json::value create_group(const SageMaker& service, const OperationContext& context) {
  const std::string name = required_text(context.input, "ModelPackageGroupName");
  const control::TagMap tags = read_tags(context.input);
  service.registry.create_group(name,
                                read_description(context.input, "ModelPackageGroupDescription"));
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

json::value describe_group(const SageMaker& service, const OperationContext& context) {
  const std::string name = read_group_name(context.input, "ModelPackageGroupName");
  const auto group = service.registry.find_group(name);
  if (!group) {
    throw base::Error(base::ErrorCode::not_found,
                      "ModelPackageGroup " + group_arn(service.arns, name) + " does not exist.");
  }
  return show_group(service, *group);
}

json::value list_groups(const SageMaker& service, const OperationContext& context) {
  const auto page =
      service.registry.list_groups(read_filter(context.input), read_registry_page(context.input));
  json::array list;
  for (const control::ModelPackageGroup& group : page.items) {
    list.push_back(summarize(service, group));
  }
  json::object output{{"ModelPackageGroupSummaryList", std::move(list)}};
  put_next_token(output, page.next);
  return output;
}

json::value delete_group(const SageMaker& service, const OperationContext& context) {
  service.registry.delete_group(read_group_name(context.input, "ModelPackageGroupName"));
  return nullptr;
}

}  // namespace

json::object show_group(const SageMaker& service, const control::ModelPackageGroup& group) {
  json::object output = summarize(service, group);
  output["CreatedBy"] = json::object();
  return output;
}

std::vector<Operation> sagemaker_operations(control::ModelRegistry& registry,
                                            const fleet::Arns& arns, control::ModelChecks* checks,
                                            const Authorizer* authorizer) {
  const SageMaker service{registry, checks, arns, authorizer};
  const auto bind = [&](auto function) {
    return
        [service, function](const OperationContext& context) { return function(service, context); };
  };
  std::vector<Operation> rows{
      sagemaker_row("CreateModelPackageGroup", bind(create_group)),
      sagemaker_row("DescribeModelPackageGroup", bind(describe_group)),
      sagemaker_row("ListModelPackageGroups", bind(list_groups)),
      sagemaker_row("DeleteModelPackageGroup", bind(delete_group)),
  };
  add_package_rows(rows, service);
  add_search_rows(rows, service);
  return rows;
}

}  // namespace andon::api
