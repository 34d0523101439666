// SPDX-License-Identifier: Apache-2.0
// A template with its values, as this server takes it: which of its resources it has and in which
// order, what it leaves out and why, what each is to have. Values; one thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/stacks/types/resource_type.hpp"
#include "stacks/language/parameter_values.hpp"
#include "stacks/language/resolver.hpp"
#include "stacks/language/template.hpp"

namespace andon::api {

// What the world has to say while a template is read.
struct StackWorld {
  stacks::Stored stored;  // parameters of the store
  std::function<std::optional<std::string>(const std::string&)> imported;
  // Whether the server has an operation: types that need one that is not here are left out.
  std::function<bool(std::string_view service, std::string_view operation)> has_operation;
};

struct TemplateResource {
  const stacks::Resource* declared = nullptr;
  const ResourceType* type = nullptr;
  std::vector<std::string> depends_on;
};

struct StackOutputs {
  json::array outputs;  // [{OutputKey, OutputValue, Description, ExportName}]
  std::map<std::string, std::string> exports;
};

class StackTemplate {
 public:
  // Throws invalid_argument, unsupported.
  StackTemplate(const std::string& text, const std::map<std::string, std::string>& given,
                stacks::Place place, StackWorld world);
  StackTemplate(const StackTemplate&) = delete;
  StackTemplate& operator=(const StackTemplate&) = delete;

  // Each after those that it depends on.
  [[nodiscard]] const std::vector<TemplateResource>& resources() const { return resources_; }
  [[nodiscard]] const TemplateResource* find(std::string_view id) const;
  // [{LogicalResourceId, ResourceType, Reason}], of properties with Property.
  [[nodiscard]] const json::array& left_out() const { return left_out_; }
  [[nodiscard]] const stacks::Template& read() const { return template_; }
  [[nodiscard]] const stacks::ParameterValues& values() const { return values_; }

  using Reference = std::function<std::optional<json::value>(const std::string& id)>;
  using Attribute =
      std::function<std::optional<json::value>(const std::string& id, const std::string& name)>;
  // The properties of a resource, each of its type's kind.
  [[nodiscard]] json::object properties(const TemplateResource& resource, Reference reference,
                                        Attribute attribute) const;
  [[nodiscard]] StackOutputs outputs(Reference reference, Attribute attribute) const;
  // The names that were imported from other stacks so far.
  [[nodiscard]] std::vector<std::string> imports() const;

 private:
  [[nodiscard]] stacks::World world_of(Reference reference, Attribute attribute) const;
  [[nodiscard]] std::optional<std::string> why_left_out(const stacks::Resource& resource) const;
  void leave_out(const stacks::Resource& resource, const std::string& reason);

  const stacks::Template template_;
  const StackWorld world_;
  stacks::ParameterValues values_;
  std::vector<TemplateResource> resources_;
  json::array left_out_;
  std::map<std::string, std::string> reasons_;  // of resources that are left out
  mutable std::map<std::string, bool> imports_;
};

}  // namespace andon::api
