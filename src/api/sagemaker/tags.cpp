// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/tags.hpp"

#include "api/sagemaker/members.hpp"
#include "api/sagemaker/rows.hpp"
#include "api/table/members.hpp"

namespace andon::api {
namespace {

constexpr std::int64_t kMostTags = 50;

}  // namespace

std::vector<Operation> sagemaker_tag_operations(
    const control::Tags& tags, std::function<bool(const std::string& arn)> is_there) {
  const auto resource = [is_there = std::move(is_there)](const json::object& input) {
    std::string arn = required_text(input, "ResourceArn");
    if (!is_there(arn)) {
      throw ServiceError(400, "ValidationException",
                         "ResourceArn: there is no such resource: " + arn.substr(0, 300));
    }
    return arn;
  };
  std::vector<Operation> rows;
  rows.push_back(sagemaker_row("AddTags", [tags, resource](const OperationContext& context) {
    const std::string arn = resource(context.input);
    control::Tags own(tags);
    own.set(arn, read_tags(context.input));
    return json::value(json::object{{"Tags", tag_list(own.of(arn))}});
  }));
  rows.push_back(sagemaker_row("ListTags", [tags, resource](const OperationContext& context) {
    const std::string arn = resource(context.input);
    const control::PageRequest page = read_registry_page(context.input);
    const bool is_given = context.input.contains("MaxResults");
    const std::size_t limit = is_given ? page.limit : static_cast<std::size_t>(kMostTags);
    json::object output;
    control::TagMap some;
    std::string last;
    for (const auto& [key, value] : tags.of(arn)) {
      if (!page.after.empty() && key <= page.after) continue;
      if (some.size() == limit) {
        put_next_token(output, last);
        break;
      }
      some[key] = value;
      last = key;
    }
    output["Tags"] = tag_list(some);
    return json::value(std::move(output));
  }));
  rows.push_back(sagemaker_row("DeleteTags", [tags, resource](const OperationContext& context) {
    const std::string arn = resource(context.input);
    control::Tags(tags).remove(arn, text_list(context.input, "TagKeys"));
    return json::value(json::object());
  }));
  return rows;
}

}  // namespace andon::api
