// SPDX-License-Identifier: Apache-2.0
#include "api/stacks/stack_template.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "control/iam/ready_made.hpp"
#include "stacks/plan/plan.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

// Functions that CDK puts into a template to serve its custom resources.
constexpr auto kProviders = std::to_array<std::string_view>(
    {"CustomS3AutoDeleteObjects", "CustomCDKBucketDeployment", "CustomVpcRestrictDefaultSG",
     "CustomCrossRegionExport", "LogRetention", "BucketNotificationsHandler", "AWS679f53fac002430c",
     "CustomAWSCDKOpenIdConnectProvider"});

// Types that are there once the server has their operation.
struct Needed {
  std::string_view type;
  std::string_view service;
  std::string_view operation;
};
constexpr auto kNeeded =
    std::to_array<Needed>({{"AWS::Lambda::LayerVersion", "lambda", "PublishLayerVersion"},
                           {"AWS::SageMaker::FeatureGroup", "sagemaker", "CreateFeatureGroup"}});

bool is_custom(std::string_view type) {
  return type.starts_with("Custom::") || type == "AWS::CloudFormation::CustomResource";
}

// What nothing is lost without: what refers to it is left out, too.
bool is_scaffolding(const stacks::Resource& resource) {
  if (is_custom(resource.type) || resource.type == "AWS::CDK::Metadata") return true;
  const bool is_function =
      resource.type == "AWS::Lambda::Function" || resource.type == "AWS::Lambda::LayerVersion";
  return is_function && std::ranges::any_of(kProviders, [&](std::string_view prefix) {
           return resource.id.starts_with(prefix);
         });
}

// AWS's own policies that are not here (AWSLambdaBasicExecutionRole) are taken off a role's list.
std::vector<std::string> take_absent_policies(const TemplateResource& resource,
                                              json::object& properties) {
  std::vector<std::string> absent;
  auto* list = properties.if_contains("ManagedPolicyArns");
  if (resource.type->name != "AWS::IAM::Role" || list == nullptr || !list->is_array()) {
    return absent;
  }
  json::array kept;
  for (const json::value& one : list->get_array()) {
    const std::string arn = document_text(one);
    const bool is_absent =
        arn.starts_with("arn:aws:iam::aws:policy/") && control::find_ready_made(arn) == nullptr;
    if (is_absent) {
      absent.push_back(arn);
    } else {
      kept.push_back(one);
    }
  }
  *list = std::move(kept);
  return absent;
}

json::value converted(const Property& property, const json::value& value,
                      const std::string& place) {
  using Kind = Property::Kind;
  const auto refuse = [&place](std::string_view what) -> json::value {
    throw Error(ErrorCode::invalid_argument, place + ": must be " + std::string(what));
  };
  // Of what is not known yet.
  const bool is_open = value.is_string() &&
                       std::string_view(value.get_string()).find("${") != std::string_view::npos;
  switch (property.kind) {
    case Kind::any:
      return value;
    case Kind::text:
      if (value.is_structured()) return refuse("a text");
      return value.is_string() ? value : json::value(base::to_text(value));
    case Kind::integer: {
      if (value.is_int64() || is_open) return value;
      if (value.is_double() && value.get_double() == static_cast<double>(static_cast<std::int64_t>(
                                                         value.get_double()))) {
        return json::value(static_cast<std::int64_t>(value.get_double()));
      }
      if (!value.is_string()) return refuse("a whole number");
      const auto number = base::parse_int64(std::string_view(value.get_string()));
      return number ? json::value(*number) : refuse("a whole number");
    }
    case Kind::boolean:
      if (value.is_bool() || is_open) return value;
      if (value == "true") return json::value(true);
      if (value == "false") return json::value(false);
      return refuse("true or false");
    case Kind::document:
      if (value.is_structured() || value.is_string()) return json::value(document_text(value));
      return refuse("a document");
  }
  return value;
}

}  // namespace

StackTemplate::StackTemplate(const std::string& text,
                             const std::map<std::string, std::string>& given, stacks::Place place,
                             StackWorld world)
    : template_(stacks::read_template(text, "the template")), world_(std::move(world)) {
  values_ = stacks::parameter_values(template_, given, place, world_.stored);
  for (const auto& [name, reason] : values_.left_out) {
    left_out_.push_back(
        {{"LogicalResourceId", name}, {"ResourceType", "Parameter"}, {"Reason", reason}});
  }
  for (const std::string& rule : template_.rules) {
    left_out_.push_back({{"LogicalResourceId", rule},
                         {"ResourceType", "Rule"},
                         {"Reason", "rules about parameters are not looked at"}});
  }
  const stacks::World plain = world_of({}, {});
  const stacks::Resolver conditions(template_, values_.values, plain);
  std::map<std::string, std::vector<std::string>> dependencies;
  std::vector<std::string> ids;
  for (const stacks::Resource& resource : template_.resources) {
    if (!conditions.holds(resource.condition)) continue;
    if (const auto reason = why_left_out(resource)) {
      leave_out(resource, *reason);
      continue;
    }
    ids.push_back(resource.id);
  }
  // What needs scaffolding goes with it; more than once, as it may be needed in turn.
  std::set<std::string> scaffolding;
  for (const stacks::Resource& resource : template_.resources) {
    if (reasons_.contains(resource.id) && is_scaffolding(resource)) scaffolding.insert(resource.id);
  }
  const std::set<std::string> there(ids.begin(), ids.end());
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (auto id = ids.begin(); id != ids.end();) {
      const stacks::Resource& resource = *template_.find_resource(*id);
      auto needed = stacks::dependencies(template_, resource, values_.values, plain);
      std::string gone;
      std::erase_if(needed, [&](const std::string& other) {
        if (!reasons_.contains(other)) return !there.contains(other);
        const bool is_named =
            std::ranges::find(resource.depends_on, other) == resource.depends_on.end();
        if (is_named) gone = other;
        return true;
      });
      if (gone.empty()) {
        dependencies[*id] = std::move(needed);
        ++id;
        continue;
      }
      if (!scaffolding.contains(gone)) {
        throw Error(ErrorCode::unsupported, "Resources." + *id + " refers to " + gone +
                                                ", which is left out: " + reasons_.at(gone));
      }
      leave_out(resource, "it refers to " + gone + ", which is left out");
      scaffolding.insert(*id);
      id = ids.erase(id);
      has_changed = true;
    }
  }
  for (const std::string& id : stacks::in_order(ids, dependencies)) {
    const stacks::Resource* declared = template_.find_resource(id);
    resources_.push_back({declared, find_type(declared->type), dependencies[id]});
  }
  // Properties that mean nothing here, and those that are not known.
  const auto open = [](const std::string& id) {
    return std::optional<json::value>(stacks::placeholder(id));
  };
  for (const TemplateResource& resource : resources_) {
    auto resolved = stacks::Resolver(
                        template_, values_.values,
                        world_of(open,
                                 [](const std::string& id, const std::string& name) {
                                   return std::optional<json::value>(stacks::placeholder(id, name));
                                 }))
                        .resolve_object(resource.declared->properties,
                                        "Resources." + resource.declared->id + ".Properties");
    for (const auto& [name, value] : resolved) {
      const auto known =
          std::ranges::find(resource.type->properties, std::string_view(name), &Property::name);
      if (known == resource.type->properties.end()) {
        throw Error(ErrorCode::unsupported,
                    "Resources." + resource.declared->id + ".Properties." + std::string(name) +
                        ": this server does not support it for " +
                        std::string(resource.type->name) + "; leave it out");
      }
      if (known->change != Property::Change::left_out) continue;
      left_out_.push_back(json::object{{"LogicalResourceId", resource.declared->id},
                                       {"ResourceType", resource.declared->type},
                                       {"Property", name},
                                       {"Reason", known->reason}});
    }
    for (const std::string& arn : take_absent_policies(resource, resolved)) {
      left_out_.push_back(json::object{
          {"LogicalResourceId", resource.declared->id},
          {"ResourceType", resource.declared->type},
          {"Property", "ManagedPolicyArns"},
          {"Reason", "this server has no " + arn +
                         "; functions write their logs without it, and "
                         "what else it allows must stand in a policy of the template"}});
    }
  }
}

void StackTemplate::leave_out(const stacks::Resource& resource, const std::string& reason) {
  reasons_[resource.id] = reason;
  left_out_.push_back(
      {{"LogicalResourceId", resource.id}, {"ResourceType", resource.type}, {"Reason", reason}});
}

std::optional<std::string> StackTemplate::why_left_out(const stacks::Resource& resource) const {
  if (resource.type == "AWS::CDK::Metadata") {
    return "it tells AWS which libraries of CDK made the template";
  }
  if (resource.type == "Custom::S3AutoDeleteObjects") {
    return "the server itself empties the bucket when it is deleted";
  }
  if (is_custom(resource.type)) return "custom resources are not run here";
  if (is_scaffolding(resource)) return "it serves custom resources, which are not run here";
  for (const Needed& needed : kNeeded) {
    if (needed.type == resource.type && world_.has_operation &&
        !world_.has_operation(needed.service, needed.operation)) {
      return "this server has no " + std::string(needed.operation);
    }
  }
  if (find_type(resource.type) == nullptr) {
    return "this server has no resources of this type";
  }
  return std::nullopt;
}

const TemplateResource* StackTemplate::find(std::string_view id) const {
  const auto found = std::ranges::find_if(
      resources_, [&](const TemplateResource& one) { return one.declared->id == id; });
  return found == resources_.end() ? nullptr : &*found;
}

stacks::World StackTemplate::world_of(Reference reference, Attribute attribute) const {
  stacks::World world;
  world.reference = std::move(reference);
  world.attribute = std::move(attribute);
  world.stored = world_.stored;
  world.imported = [this](const std::string& name) {
    imports_[name] = true;
    return world_.imported ? world_.imported(name) : std::nullopt;
  };
  return world;
}

json::object StackTemplate::properties(const TemplateResource& resource, Reference reference,
                                       Attribute attribute) const {
  const std::string place = "Resources." + resource.declared->id + ".Properties";
  const stacks::Resolver resolver(template_, values_.values,
                                  world_of(std::move(reference), std::move(attribute)));
  json::object made;
  for (const auto& [name, value] : resolver.resolve_object(resource.declared->properties, place)) {
    const auto known =
        std::ranges::find(resource.type->properties, std::string_view(name), &Property::name);
    if (known == resource.type->properties.end() || known->change == Property::Change::left_out ||
        value.is_null()) {
      continue;
    }
    made[name] = converted(*known, value, place + "." + std::string(name));
  }
  (void)take_absent_policies(resource, made);
  return made;
}

StackOutputs StackTemplate::outputs(Reference reference, Attribute attribute) const {
  const stacks::Resolver resolver(template_, values_.values,
                                  world_of(std::move(reference), std::move(attribute)));
  StackOutputs made;
  for (const stacks::Output& output : template_.outputs) {
    if (!resolver.holds(output.condition)) continue;
    const std::string place = "Outputs." + output.id;
    json::object one{{"OutputKey", output.id}};
    try {
      one["OutputValue"] = resolver.resolve_text(output.value, place);
    } catch (const Error& error) {
      // Of something that is left out.
      const bool is_left_out = std::ranges::any_of(reasons_, [&](const auto& reason) {
        return error.message().find(reason.first) != std::string::npos;
      });
      if (!is_left_out) throw;
      continue;
    }
    if (!output.description.empty()) one["Description"] = output.description;
    if (output.export_name) {
      const std::string name = resolver.resolve_text(*output.export_name, place + ".Export.Name");
      one["ExportName"] = name;
      made.exports[name] = std::string(one["OutputValue"].as_string());
    }
    made.outputs.push_back(std::move(one));
  }
  return made;
}

std::vector<std::string> StackTemplate::imports() const {
  std::vector<std::string> names;
  for (const auto& [name, seen] : imports_) names.push_back(name);
  return names;
}

}  // namespace andon::api
