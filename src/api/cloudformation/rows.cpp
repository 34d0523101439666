// SPDX-License-Identifier: Apache-2.0
#include "api/cloudformation/rows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/s3/format/object_url.hpp"
#include "base/error/error.hpp"
#include "stacks/language/template.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostBody = 51'200;

}  // namespace

std::vector<Operation> cloudformation_operations(const CloudFormationParts& parts) {
  std::vector<Operation> all;
  for (auto* part : {stack_operations, stack_resource_operations, template_operations,
                     change_set_operations, andon_stack_operations}) {
    std::ranges::move(part(parts), std::back_inserter(all));
  }
  return all;
}

Operation stack_row(const CloudFormationParts& parts, std::string_view name, StackCall work) {
  return {"cloudformation",
          name,
          Protocol::query,
          "",
          "",
          200,
          [parts, work = std::move(work)](const OperationContext& context) {
            return work(parts, context);
          }};
}

control::Stack require_stack(const CloudFormationParts& parts, const std::string& name) {
  auto stack = parts.engine.stacks().find(name);
  if (!stack) {
    throw Error(ErrorCode::not_found, "Stack with id " + name + " does not exist");
  }
  return *std::move(stack);
}

std::optional<std::string> read_template_text(const CloudFormationParts& parts,
                                              const OperationContext& context) {
  const std::string body = text_or_empty(context.input, "TemplateBody");
  const std::string url = text_or_empty(context.input, "TemplateURL");
  if (!body.empty() && !url.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "TemplateBody and TemplateURL: only one of them can be given");
  }
  if (body.size() > kMostBody) {
    throw Error(ErrorCode::invalid_argument,
                "TemplateBody: has more than 51,200 bytes; put it into a bucket and give "
                "TemplateURL");
  }
  if (!body.empty()) return body;
  if (url.empty()) return std::nullopt;
  const auto [bucket, key] = parse_object_url(url, "TemplateURL");
  const StackCalls calls(parts.calls, parts.s3, context.caller);
  return calls.s3({.method = "GET", .bucket = bucket, .key = key});
}

StackWish read_wish(const CloudFormationParts& parts, const OperationContext& context,
                    const std::optional<control::Stack>& there) {
  const json::object& input = context.input;
  StackWish wish;
  wish.name = there ? there->name : required_text(input, "StackName");
  auto text = read_template_text(parts, context);
  if (flag(input, "UsePreviousTemplate") && there && !text) text = there->template_text;
  if (!text) {
    throw Error(ErrorCode::invalid_argument,
                "Either Template URL or Template Body must be specified.");
  }
  wish.template_text = *std::move(text);
  if (const auto* list = input.if_contains("Parameters"); list != nullptr && list->is_array()) {
    for (const json::value& one : list->get_array()) {
      const std::string key = member_text(one, "ParameterKey");
      if (one.is_object() && flag(one.get_object(), "UsePreviousValue")) {
        const auto old = there ? there->parameters.find(key)
                               : std::map<std::string, std::string>::const_iterator{};
        if (!there || old == there->parameters.end()) {
          throw Error(ErrorCode::invalid_argument,
                      "Parameters." + key + ": UsePreviousValue, and there is none");
        }
        wish.parameters[key] = old->second;
      } else {
        wish.parameters[key] = member_text(one, "ParameterValue");
      }
    }
  }
  wish.tags = read_tag_list(input);
  if (there && !input.contains("Tags")) wish.tags = there->tags;
  wish.capabilities = text_list(input, "Capabilities");
  wish.token = text_or_empty(input, "ClientRequestToken");
  return wish;
}

std::string stack_time(base::Timestamp time) {
  return base::to_iso8601(time);
}

control::PageRequest stack_page(const json::object& input, std::size_t limit) {
  control::PageRequest page{.limit = limit, .after = {}};
  const std::string token = text_or_empty(input, "NextToken");
  if (token.empty()) return page;
  const auto after = from_page_token(token);
  if (!after) throw Error(ErrorCode::invalid_argument, "NextToken: is not one of this operation");
  page.after = *after;
  return page;
}

void put_stack_page(json::object& output, const std::optional<std::string>& next) {
  if (next) output["NextToken"] = to_page_token(*next);
}

json::array parameter_list(const control::Stack& stack) {
  json::array list;
  std::vector<std::string> hidden;
  if (!stack.template_text.empty()) {
    for (const stacks::Parameter& parameter :
         stacks::read_template(stack.template_text, "the template").parameters) {
      if (parameter.is_secret) hidden.push_back(parameter.name);
    }
  }
  for (const auto& [name, value] : stack.parameters) {
    const bool is_hidden = std::ranges::find(hidden, name) != hidden.end();
    list.push_back(
        {{"ParameterKey", name}, {"ParameterValue", is_hidden ? std::string("****") : value}});
  }
  return list;
}

}  // namespace andon::api
