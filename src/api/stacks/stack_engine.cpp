// SPDX-License-Identifier: Apache-2.0
#include "api/stacks/stack_engine.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::Stack;
using control::StackResource;

constexpr std::chrono::milliseconds kPause{2'000};
constexpr std::size_t kLongestReason = 2'000;

// The server ends.
struct Stopped {};

json::object to_record(const Caller& caller) {
  json::object record{{"accessKeyId", caller.access_key_id},    {"principal", caller.principal},
                      {"account", caller.account_id},           {"region", caller.region},
                      {"sessionPolicy", caller.session_policy}, {"sourceIp", caller.source_ip},
                      {"userAgent", caller.user_agent},         {"isSecure", caller.is_secure},
                      {"certificate", caller.certificate}};
  if (caller.token_issued) record["tokenIssuedMs"] = base::to_epoch_millis(*caller.token_issued);
  return record;
}

Caller from_record(const json::object& record) {
  const auto text = [&record](std::string_view name) {
    return std::string(record.at(name).as_string());
  };
  Caller caller{.access_key_id = text("accessKeyId"),
                .principal = text("principal"),
                .account_id = text("account"),
                .region = text("region"),
                .session_policy = text("sessionPolicy"),
                .source_ip = text("sourceIp"),
                .user_agent = text("userAgent"),
                .is_secure = record.at("isSecure").as_bool(),
                .certificate = text("certificate")};
  if (const auto* issued = record.if_contains("tokenIssuedMs")) {
    caller.token_issued = base::from_epoch_millis(issued->as_int64());
  }
  return caller;
}

void check_name(const std::string& name) {
  constexpr std::size_t kLongest = 128;
  if (name.size() <= kLongest && base::is_name_of(name, "-") && base::is_letter(name.front())) {
    return;
  }
  throw Error(ErrorCode::invalid_argument,
              "StackName: a stack's name begins with a letter and has up to 128 letters, digits "
              "and hyphens");
}

std::string reason_text(const std::string& text) {
  return text.substr(0, kLongestReason);
}

std::string on_removal(stacks::Policy policy) {
  return policy == stacks::Policy::remove   ? "Delete"
         : policy == stacks::Policy::retain ? "Retain"
                                            : "RetainExceptOnCreate";
}

}  // namespace

std::string_view to_string(PlanStep::Action action) {
  switch (action) {
    case PlanStep::Action::create:
      return "create";
    case PlanStep::Action::change:
      return "change";
    case PlanStep::Action::replace:
      return "replace";
    case PlanStep::Action::remove:
      return "delete";
    case PlanStep::Action::keep:
      return "keep";
    case PlanStep::Action::same:
      break;
  }
  return "same";
}

bool StackPlan::has_changes() const {
  return is_new || has_other_outputs || std::ranges::any_of(steps, [](const PlanStep& step) {
           return step.action != PlanStep::Action::same && step.action != PlanStep::Action::keep;
         });
}

std::string why_replaced(const ResourceType& type, const json::object& before,
                         const json::object& after) {
  for (const Property& property : type.properties) {
    if (property.change == Property::Change::replace && differs(before, after, {property.name})) {
      return std::string(property.name);
    }
  }
  return {};
}

// One operation on one stack.
struct StackEngine::Run {
  Stack stack;
  Caller caller;
  StackCalls calls;
  std::unique_ptr<StackTemplate> wanted;
  std::map<std::string, StackResource> rows;  // those that stand, by logical id
  std::int64_t last_position = 0;
  std::string token;
  bool prune = true;
  std::vector<std::string> failed;

  // What Ref and GetAtt come to: of resources that are complete.
  [[nodiscard]] std::optional<json::value> reference(const std::string& id) const {
    const auto row = rows.find(id);
    if (row == rows.end() || row->second.physical_id.empty()) return std::nullopt;
    return json::value(row->second.physical_id);
  }
  [[nodiscard]] std::optional<json::value> attribute(const std::string& id,
                                                     const std::string& name) const {
    const auto row = rows.find(id);
    if (row == rows.end()) return std::nullopt;
    const auto* value = row->second.attributes.if_contains(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }
};

void StackEngine::run() {
  worker_ = std::make_unique<control::BackgroundWorker>(
      "stacks", [this] { return step(); }, kPause);
}

void StackEngine::stop() {
  stop_.request_stop();
  worker_.reset();
}

stacks::Place StackEngine::place_of(const std::string& name, const std::string& id) const {
  return {.account = parts_.arns.account(),
          .region = parts_.arns.region(),
          .stack_name = name,
          .stack_id = id};
}

StackWorld StackEngine::world_of(const StackCalls& calls) const {
  StackWorld world;
  world.stored = [&calls](const std::string& name) -> std::optional<std::string> {
    const auto found = calls.find("ssm", "GetParameter", {{"Name", name}});
    const auto* parameter = found ? member(*found, "Parameter") : nullptr;
    if (parameter == nullptr) return std::nullopt;
    if (member_text(*parameter, "Type") == "SecureString") {
      throw Error(ErrorCode::unsupported, "the parameter " + name +
                                              " is a SecureString, whose value would stand in the "
                                              "stack's record");
    }
    return member_text(*parameter, "Value");
  };
  world.imported = [this](const std::string& name) { return parts_.stacks.exported(name); };
  world.has_operation = [&calls](std::string_view service, std::string_view operation) {
    return calls.has(service, operation);
  };
  return world;
}

Work StackEngine::work_of(const StackCalls& calls, const Stack& stack,
                          const StackResource& row) const {
  return {.calls = calls,
          .account = parts_.arns.account(),
          .region = parts_.arns.region(),
          .stack_name = stack.name,
          .stack_id = stack.id,
          .logical_id = row.logical_id,
          .generation = row.generation,
          .physical_id = row.physical_id,
          .properties = row.properties};
}

std::unique_ptr<StackTemplate> StackEngine::read(const StackWish& wish,
                                                 const Caller& caller) const {
  const StackCalls calls(parts_.calls, parts_.s3, caller);
  const auto stack = parts_.stacks.find(wish.name);
  return std::make_unique<StackTemplate>(wish.template_text, wish.parameters,
                                         place_of(wish.name, stack ? stack->id : ""),
                                         world_of(calls));
}

StackPlan StackEngine::plan(const StackWish& wish, const Caller& caller) const {
  check_name(wish.name);
  const StackCalls calls(parts_.calls, parts_.s3, caller);
  const auto stack = parts_.stacks.find(wish.name);
  const Stack as_is = stack.value_or(Stack{});
  const StackTemplate wanted(wish.template_text, wish.parameters, place_of(wish.name, as_is.id),
                             world_of(calls));
  StackPlan plan;
  plan.is_new = !stack || as_is.status == "REVIEW_IN_PROGRESS";
  plan.left_out = wanted.left_out();
  plan.template_description = wanted.read().description;
  plan.parameters = wanted.values().texts;
  std::map<std::string, StackResource> rows;
  std::vector<StackResource> replaced;
  if (stack) {
    for (StackResource& row : parts_.stacks.resources(as_is.id)) {
      if (row.ordinal > 0) {
        replaced.push_back(std::move(row));
      } else {
        rows[row.logical_id] = std::move(row);
      }
    }
  }
  std::set<std::string> open;  // whose names and attributes are not known yet
  const auto reference = [&](const std::string& id) -> std::optional<json::value> {
    const auto row = rows.find(id);
    if (row == rows.end() || open.contains(id)) return json::value(stacks::placeholder(id));
    return json::value(row->second.physical_id);
  };
  const auto attribute = [&](const std::string& id,
                             const std::string& name) -> std::optional<json::value> {
    const auto row = rows.find(id);
    if (row == rows.end() || open.contains(id)) return json::value(stacks::placeholder(id, name));
    const auto* value = row->second.attributes.if_contains(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  };
  for (const TemplateResource& resource : wanted.resources()) {
    PlanStep step;
    step.id = resource.declared->id;
    step.type = resource.declared->type;
    const json::object properties = wanted.properties(resource, reference, attribute);
    const auto row = rows.find(step.id);
    if (row == rows.end()) {
      step.action = PlanStep::Action::create;
      step.differences = stacks::differences({}, properties);
      open.insert(step.id);
      plan.steps.push_back(std::move(step));
      continue;
    }
    step.physical_id = row->second.physical_id;
    step.differences = stacks::differences(row->second.properties, properties);
    if (row->second.type != step.type) {
      step.action = PlanStep::Action::replace;
      step.reason = "Type";
    } else if (!row->second.is_complete()) {
      step.action = row->second.status.starts_with("CREATE") ? PlanStep::Action::create
                                                             : PlanStep::Action::change;
      step.reason = "was not completed: " + row->second.status +
                    (row->second.reason.empty() ? "" : " (" + row->second.reason + ")");
    } else if (!resource.type->find(work_of(calls, as_is, row->second))) {
      step.action = PlanStep::Action::create;
      step.reason = "it is no longer there";
    } else if (!step.differences.empty()) {
      const std::string why = why_replaced(*resource.type, row->second.properties, properties);
      const bool is_replaced = !why.empty() || resource.type->update == nullptr;
      step.action = is_replaced ? PlanStep::Action::replace : PlanStep::Action::change;
      step.reason = is_replaced ? why : "";
    }
    if (step.action == PlanStep::Action::create || step.action == PlanStep::Action::replace) {
      open.insert(step.id);
    }
    plan.steps.push_back(std::move(step));
  }
  std::vector<StackResource> gone;
  for (const auto& [id, row] : rows) {
    if (wanted.find(id) == nullptr) gone.push_back(row);
  }
  std::ranges::sort(gone, std::ranges::greater(), &StackResource::position);
  for (const StackResource& row : gone) {
    PlanStep step;
    step.id = row.logical_id;
    step.type = row.type;
    step.physical_id = row.physical_id;
    step.action = wish.prune ? PlanStep::Action::remove : PlanStep::Action::keep;
    step.reason = !wish.prune                  ? "the template no longer has it"
                  : row.on_removal == "Retain" ? "stays where it is, outside of the stack"
                                               : "";
    plan.steps.push_back(std::move(step));
  }
  for (const StackResource& row : replaced) {
    PlanStep step;
    step.id = row.logical_id;
    step.type = row.type;
    step.physical_id = row.physical_id;
    step.action = PlanStep::Action::remove;
    step.reason = "was replaced";
    plan.steps.push_back(std::move(step));
  }
  plan.has_other_outputs = stack && (json::value(wanted.outputs(reference, attribute).outputs) !=
                                         json::value(as_is.outputs) ||
                                     as_is.status.ends_with("_FAILED") || as_is.tags != wish.tags);
  return plan;
}

namespace {

json::object work_record(std::string_view kind, const StackWish& wish, const Caller& caller) {
  return {{"kind", kind},
          {"prune", wish.prune},
          {"token", wish.token},
          {"removesOnFailure", wish.removes_on_failure},
          {"caller", to_record(caller)}};
}

}  // namespace

Stack StackEngine::reserve(const StackWish& wish) {
  check_name(wish.name);
  const Stack stack{.id = "arn:aws:cloudformation:" + parts_.arns.region() + ":" +
                          parts_.arns.account() + ":stack/" + wish.name + "/" + base::random_uuid(),
                    .name = wish.name,
                    .status = "REVIEW_IN_PROGRESS",
                    .reason = "User Initiated",
                    .tags = wish.tags,
                    .created = parts_.clock.now()};
  parts_.stacks.add(stack);
  return stack;
}

Stack StackEngine::create(const StackWish& wish, const Caller& caller) {
  check_name(wish.name);
  const auto wanted = read(wish, caller);
  const auto there = parts_.stacks.find(wish.name);
  const bool is_reserved = there && there->status == "REVIEW_IN_PROGRESS";
  if (there && !is_reserved) {
    throw Error(ErrorCode::already_exists, "Stack [" + wish.name + "] already exists");
  }
  Stack stack = is_reserved ? *there : Stack{};
  if (!is_reserved) {
    stack.id = "arn:aws:cloudformation:" + parts_.arns.region() + ":" + parts_.arns.account() +
               ":stack/" + wish.name + "/" + base::random_uuid();
    stack.name = wish.name;
    stack.created = parts_.clock.now();
  }
  stack.status = "CREATE_IN_PROGRESS";
  stack.reason = "User Initiated";
  stack.description = wanted->read().description;
  stack.template_text = wish.template_text;
  stack.parameters = wanted->values().texts;
  stack.tags = wish.tags;
  stack.capabilities = wish.capabilities;
  stack.left_out = wanted->left_out();
  stack.work = work_record("create", wish, caller);
  if (is_reserved) {
    parts_.stacks.update(stack, there->status, wish.token);
  } else {
    parts_.stacks.add(stack);
  }
  if (worker_) worker_->wake();
  return stack;
}

Stack StackEngine::update(const StackWish& wish, const Caller& caller) {
  const auto there = parts_.stacks.find(wish.name);
  if (!there) throw Error(ErrorCode::not_found, "Stack [" + wish.name + "] does not exist");
  if (there->is_in_progress()) {
    throw Error(ErrorCode::conflict, "Stack:" + there->id + " is in " + there->status +
                                         " state and can not be updated.");
  }
  const auto wanted = read(wish, caller);
  Stack stack = *there;
  stack.status = "UPDATE_IN_PROGRESS";
  stack.reason = "User Initiated";
  stack.description = wanted->read().description;
  stack.template_text = wish.template_text;
  stack.parameters = wanted->values().texts;
  stack.tags = wish.tags;
  stack.capabilities = wish.capabilities;
  stack.left_out = wanted->left_out();
  stack.updated = parts_.clock.now();
  stack.work = work_record("update", wish, caller);
  parts_.stacks.update(stack, there->status, wish.token);
  if (worker_) worker_->wake();
  return stack;
}

Stack StackEngine::remove(const std::string& name, const std::vector<std::string>& retained,
                          const std::string& token, const Caller& caller) {
  const auto there = parts_.stacks.find(name);
  if (!there) throw Error(ErrorCode::not_found, "Stack [" + name + "] does not exist");
  if (there->status == "DELETE_COMPLETE" || there->status == "DELETE_IN_PROGRESS") return *there;
  if (there->is_in_progress()) {
    throw Error(ErrorCode::conflict, "Stack:" + there->id + " is in " + there->status +
                                         " state and can not be deleted now.");
  }
  if (there->is_protected) {
    throw Error(ErrorCode::failed_precondition,
                "Stack [" + there->name +
                    "] cannot be deleted while TerminationProtection is "
                    "enabled");
  }
  for (const json::value& output : there->outputs) {
    const std::string exported = member_text(output, "ExportName");
    if (exported.empty()) continue;
    const auto importers = parts_.stacks.importers(exported);
    if (!importers.empty()) {
      throw Error(
          ErrorCode::failed_precondition,
          "Export " + exported + " cannot be deleted as it is in use by " + importers.front());
    }
  }
  Stack stack = *there;
  stack.status = "DELETE_IN_PROGRESS";
  stack.reason = "User Initiated";
  stack.updated = parts_.clock.now();
  StackWish wish;
  wish.token = token;
  stack.work = work_record("delete", wish, caller);
  stack.work["retained"] = json::array(retained.begin(), retained.end());
  parts_.stacks.update(stack, there->status, token);
  if (worker_) worker_->wake();
  return stack;
}

bool StackEngine::step() {
  if (stop_.stop_requested()) return false;
  const auto stack = parts_.stacks.next_in_progress();
  if (!stack) return false;
  try {
    carry_out(*stack);
  } catch (const Stopped&) {
    return false;
  }
  return true;
}

void StackEngine::carry_out(const Stack& stack) const {
  const Caller caller = from_record(stack.work.at("caller").as_object());
  Run run{.stack = stack,
          .caller = caller,
          .calls = StackCalls(parts_.calls, parts_.s3, caller, stop_.get_token()),
          .wanted = nullptr,
          .rows = {},
          .last_position = 0,
          .token = std::string(stack.work.at("token").as_string()),
          .prune = stack.work.at("prune").as_bool(),
          .failed = {}};
  const std::string kind(stack.work.at("kind").as_string());
  const auto fail = [&](const std::string& reason) {
    const std::string before = run.stack.status;
    run.stack.status = kind == "create"   ? "CREATE_FAILED"
                       : kind == "delete" ? "DELETE_FAILED"
                                          : "UPDATE_FAILED";
    run.stack.reason = reason_text(reason);
    run.stack.work = {};
    if (kind == "create" && stack.work.at("removesOnFailure").as_bool()) {
      run.stack.status = "DELETE_IN_PROGRESS";
      run.stack.work = stack.work;
      run.stack.work["kind"] = "delete";
    }
    parts_.stacks.update(run.stack, before, run.token);
  };
  for (StackResource& row : parts_.stacks.resources(stack.id)) {
    run.last_position = std::max(run.last_position, row.position);
    if (row.ordinal == 0) run.rows[row.logical_id] = std::move(row);
  }
  try {
    if (kind == "delete") {
      take_all_away(run);
    } else {
      apply(run);
    }
  } catch (const std::exception& error) {
    // What went wrong because the server ends is done again at its next start.
    if (stop_.stop_requested()) throw Stopped{};
    fail(error.what());
  }
}

void StackEngine::apply(Run& run) const {
  run.wanted =
      std::make_unique<StackTemplate>(run.stack.template_text, run.stack.parameters,
                                      place_of(run.stack.name, run.stack.id), world_of(run.calls));
  std::set<std::string> blocked;  // what failed, and what needs it
  for (const TemplateResource& resource : run.wanted->resources()) {
    if (stop_.stop_requested()) throw Stopped{};
    const std::string& id = resource.declared->id;
    if (std::ranges::any_of(resource.depends_on,
                            [&](const std::string& other) { return blocked.contains(other); })) {
      blocked.insert(id);
      continue;
    }
    try {
      apply_resource(run, resource);
    } catch (const Error& error) {
      if (stop_.stop_requested()) throw Stopped{};
      blocked.insert(id);
      run.failed.push_back(id);
      StackResource row;
      if (const auto known = run.rows.find(id); known != run.rows.end()) row = known->second;
      const bool is_new = row.status.empty() || row.status.starts_with("CREATE_IN") ||
                          row.status == "CREATE_FAILED";
      row.logical_id = id;
      row.type = resource.declared->type;
      if (row.position == 0) row.position = ++run.last_position;
      row.depends_on = resource.depends_on;
      // Of one that nothing was done for there is no row to keep.
      const bool has_row = run.rows.contains(id);
      row.status = is_new ? "CREATE_FAILED" : "UPDATE_FAILED";
      row.reason = reason_text(error.message());
      parts_.stacks.put_resource(run.stack.id, row, run.token);
      if (has_row) {
        run.rows[id] = row;
      } else {
        parts_.stacks.remove_resource(run.stack.id, row, "DELETE_COMPLETE", run.token);
      }
    }
  }
  if (!run.failed.empty()) {
    std::string names;
    for (const std::string& id : run.failed) names += (names.empty() ? "" : ", ") + id;
    const bool is_new = run.stack.status == "CREATE_IN_PROGRESS";
    throw Error(ErrorCode::failed_precondition, "The following resource(s) failed to " +
                                                    std::string(is_new ? "create" : "update") +
                                                    ": [" + names + "].");
  }
  finish(run);
}

void StackEngine::apply_resource(Run& run, const TemplateResource& resource) const {
  const std::string& id = resource.declared->id;
  json::object properties = run.wanted->properties(
      resource, [&run](const std::string& other) { return run.reference(other); },
      [&run](const std::string& other, const std::string& name) {
        return run.attribute(other, name);
      });
  const auto known = run.rows.find(id);
  if (known == run.rows.end()) {
    StackResource row;
    row.logical_id = id;
    row.type = resource.declared->type;
    row.position = ++run.last_position;
    make(run, resource, std::move(properties), std::move(row), /*may_be_there=*/false);
    return;
  }
  StackResource row = known->second;
  if (row.type != resource.declared->type) {
    replace(run, resource, std::move(properties), row);
    return;
  }
  const bool was_making = row.status.starts_with("CREATE_") && row.status != "CREATE_COMPLETE";
  if (was_making) {
    // With another name it is another one: what was begun is taken away at the end.
    if (!why_replaced(*resource.type, row.properties, properties).empty() &&
        !row.physical_id.empty()) {
      replace(run, resource, std::move(properties), row);
    } else {
      make(run, resource, std::move(properties), std::move(row), /*may_be_there=*/true);
    }
    return;
  }
  const bool is_there = resource.type->find(work_of(run.calls, run.stack, row)).has_value();
  if (!is_there) {
    make(run, resource, std::move(properties), std::move(row), /*may_be_there=*/true);
    return;
  }
  const bool is_same =
      row.is_complete() && stacks::is_same(json::value(row.properties), json::value(properties));
  if (is_same) {
    const std::string policy = on_removal(resource.declared->on_removal);
    if (row.on_removal != policy || row.depends_on != resource.depends_on) {
      row.on_removal = policy;
      row.depends_on = resource.depends_on;
      parts_.stacks.put_resource(run.stack.id, row, run.token);
      run.rows[id] = row;
    }
    return;
  }
  if (!why_replaced(*resource.type, row.properties, properties).empty() ||
      resource.type->update == nullptr) {
    if (resource.type->update == nullptr &&
        stacks::is_same(json::value(row.properties), json::value(properties))) {
      row.status = "UPDATE_COMPLETE";
      row.reason.clear();
      parts_.stacks.put_resource(run.stack.id, row, run.token);
      run.rows[id] = row;
      return;
    }
    replace(run, resource, std::move(properties), row);
    return;
  }
  change(run, resource, std::move(properties), std::move(row));
}

void StackEngine::make(Run& run, const TemplateResource& resource, json::object properties,
                       StackResource row, bool may_be_there) const {
  const std::string id = row.logical_id;
  const ResourceType& type = *resource.type;
  const json::object before = std::exchange(row.properties, std::move(properties));
  row.depends_on = resource.depends_on;
  row.on_removal = on_removal(resource.declared->on_removal);
  Work work = work_of(run.calls, run.stack, row);
  if (type.identify != nullptr) row.physical_id = work.physical_id = type.identify(work);
  bool is_there = !work.physical_id.empty() && type.find(work).has_value();
  if (is_there && !may_be_there && !type.takes_over) {
    throw Error(ErrorCode::already_exists,
                row.physical_id + " already exists, and was not made by this stack");
  }
  if (!may_be_there) {
    row.status = "CREATE_IN_PROGRESS";
    row.reason.clear();
    parts_.stacks.put_resource(run.stack.id, row, run.token);
    run.rows[id] = row;
  } else {
    row.status = "CREATE_IN_PROGRESS";
    row.reason = "Resource creation Initiated";
    run.rows[id] = row;
    parts_.stacks.put_resource(run.stack.id, row, run.token);
  }
  if (is_there) {
    if (type.update != nullptr) type.update(work, {});
  } else {
    row.physical_id = work.physical_id = type.create(work);
    // A name that only the service knew is kept as soon as it is known.
    if (type.identify == nullptr) {
      run.rows[id] = row;
      parts_.stacks.put_resource(run.stack.id, row, run.token);
    }
  }
  const auto attributes = type.find(work);
  if (!attributes) {
    throw Error(ErrorCode::internal, row.physical_id + " was made and is not there");
  }
  row.attributes = *attributes;
  row.status = "CREATE_COMPLETE";
  row.reason.clear();
  parts_.stacks.put_resource(run.stack.id, row, run.token);
  run.rows[id] = row;
}

void StackEngine::change(Run& run, const TemplateResource& resource, json::object properties,
                         StackResource row) const {
  const std::string id = row.logical_id;
  const ResourceType& type = *resource.type;
  row.status = "UPDATE_IN_PROGRESS";
  row.reason.clear();
  row.depends_on = resource.depends_on;
  row.on_removal = on_removal(resource.declared->on_removal);
  parts_.stacks.put_resource(run.stack.id, row, run.token);
  run.rows[id] = row;
  const json::object before = std::exchange(row.properties, std::move(properties));
  const Work work = work_of(run.calls, run.stack, row);
  type.update(work, before);
  const auto attributes = type.find(work);
  if (!attributes) throw Error(ErrorCode::not_found, row.physical_id + " is no longer there");
  row.attributes = *attributes;
  row.status = "UPDATE_COMPLETE";
  parts_.stacks.put_resource(run.stack.id, row, run.token);
  run.rows[id] = row;
}

void StackEngine::replace(Run& run, const TemplateResource& resource, json::object properties,
                          const StackResource& old) const {
  const ResourceType& type = *resource.type;
  StackResource row;
  row.logical_id = old.logical_id;
  row.type = resource.declared->type;
  row.position = ++run.last_position;
  row.generation = old.generation + 1;
  row.properties = std::move(properties);
  row.depends_on = resource.depends_on;
  row.on_removal = on_removal(resource.declared->on_removal);
  row.status = "CREATE_IN_PROGRESS";
  row.reason = "Requested update requires the creation of a new physical resource";
  if (type.identify != nullptr) {
    const Work work = work_of(run.calls, run.stack, row);
    row.physical_id = type.identify(work);
    if (row.physical_id == old.physical_id && old.type == row.type) {
      const std::string why = why_replaced(type, old.properties, row.properties);
      throw Error(ErrorCode::failed_precondition,
                  "CloudFormation cannot update a stack when a custom-named resource requires "
                  "replacing. Rename " +
                      row.physical_id + " and update the stack again (" + why +
                      " has changed; a component gets another ComponentVersion)");
    }
    Work look = work;
    look.physical_id = row.physical_id;
    if (!type.takes_over && type.find(look)) {
      throw Error(ErrorCode::already_exists,
                  row.physical_id + " already exists, and was not made by this stack");
    }
  }
  StackResource gone = old;
  gone.on_removal = on_removal(resource.declared->on_replacement);
  parts_.stacks.put_resource(run.stack.id, gone, run.token);
  parts_.stacks.replace_resource(run.stack.id, row, run.token);
  run.rows[row.logical_id] = row;
  json::object wanted = row.properties;
  make(run, resource, std::move(wanted), row, /*may_be_there=*/true);
}

void StackEngine::finish(Run& run) const {
  const StackOutputs outputs =
      run.wanted->outputs([&run](const std::string& other) { return run.reference(other); },
                          [&run](const std::string& other, const std::string& name) {
                            return run.attribute(other, name);
                          });
  std::vector<control::StackExport> exports;
  for (const auto& [name, value] : outputs.exports) {
    exports.push_back({name, run.stack.id, value});
  }
  parts_.stacks.set_exports(run.stack.id, exports, run.wanted->imports());
  run.stack.outputs = outputs.outputs;
  std::vector<StackResource> gone;
  for (const StackResource& row : parts_.stacks.resources(run.stack.id)) {
    const bool is_unwanted = row.ordinal == 0 && run.wanted->find(row.logical_id) == nullptr;
    if (row.ordinal > 0 || (is_unwanted && run.prune)) gone.push_back(row);
  }
  const bool is_new = run.stack.status == "CREATE_IN_PROGRESS";
  if (!gone.empty()) {
    if (!is_new) {
      const std::string before =
          std::exchange(run.stack.status, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
      parts_.stacks.update(run.stack, before, run.token);
    }
    take_away(run, gone);
  }
  const std::string before =
      std::exchange(run.stack.status, is_new ? "CREATE_COMPLETE" : "UPDATE_COMPLETE");
  run.stack.reason.clear();
  run.stack.work = {};
  if (!is_new) run.stack.updated = parts_.clock.now();
  parts_.stacks.update(run.stack, before, run.token);
}

// The last that was made first, and none before those that need it.
void StackEngine::take_away(Run& run, const std::vector<StackResource>& rows) const {
  std::map<std::string, std::vector<std::string>> dependencies;
  std::map<std::string, StackResource> by_key;
  std::vector<std::string> keys;
  for (const StackResource& row : rows) {
    const std::string key = row.logical_id + "/" + std::to_string(row.ordinal);
    keys.push_back(key);
    by_key[key] = row;
    for (const StackResource& other : rows) {
      if (std::ranges::find(row.depends_on, other.logical_id) != row.depends_on.end()) {
        dependencies[key].push_back(other.logical_id + "/" + std::to_string(other.ordinal));
      }
    }
  }
  auto sorted = stacks::in_order(keys, dependencies);
  std::ranges::reverse(sorted);
  std::string problem;
  for (const std::string& key : sorted) {
    if (stop_.stop_requested()) throw Stopped{};
    try {
      take_away_one(run, by_key.at(key));
    } catch (const Error& error) {
      problem += (problem.empty() ? "" : "; ") + by_key.at(key).logical_id + ": " + error.message();
    }
  }
  if (!problem.empty()) {
    throw Error(ErrorCode::failed_precondition,
                "The following resource(s) failed to delete: " + problem);
  }
}

void StackEngine::take_away_one(Run& run, StackResource row) const {
  if (row.on_removal == "Retain") {
    parts_.stacks.remove_resource(run.stack.id, row, "DELETE_SKIPPED", run.token);
    return;
  }
  row.status = "DELETE_IN_PROGRESS";
  row.reason.clear();
  parts_.stacks.put_resource(run.stack.id, row, run.token);
  const ResourceType* type = find_type(row.type);
  try {
    if (type == nullptr) {
      throw Error(ErrorCode::unsupported, "this server has no resources of type " + row.type);
    }
    const bool has_name = !row.physical_id.empty();
    if (has_name) type->remove(work_of(run.calls, run.stack, row));
  } catch (const Error& error) {
    if (stop_.stop_requested()) throw Stopped{};
    row.status = "DELETE_FAILED";
    row.reason = reason_text(error.message());
    parts_.stacks.put_resource(run.stack.id, row, run.token);
    throw;
  }
  parts_.stacks.remove_resource(run.stack.id, row, "DELETE_COMPLETE", run.token);
}

void StackEngine::take_all_away(Run& run) const {
  std::vector<std::string> retained;
  if (const auto* list = run.stack.work.if_contains("retained")) retained = texts(list);
  std::vector<StackResource> rows = parts_.stacks.resources(run.stack.id);
  for (StackResource& row : rows) {
    if (std::ranges::find(retained, row.logical_id) != retained.end()) row.on_removal = "Retain";
  }
  take_away(run, rows);
  parts_.stacks.set_deleted(run.stack, run.token);
}

}  // namespace andon::api
