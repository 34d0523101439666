// SPDX-License-Identifier: Apache-2.0
// Room: stacks. Templates made real: what a template comes to on this server, and the engine that
// carries a stack there.
// Carries stacks from what they are to what their templates say: plans, makes, changes, replaces
// and removes their resources, each by calls as whoever asked for it. What is done is recorded
// before and after, names are made of stack and logical id, so that what a killed server left half
// done is found again and completed. One stack at a time, on a thread of its own; any thread may
// ask.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "api/s3/s3.hpp"
#include "api/stacks/stack_template.hpp"
#include "api/table/internal_call.hpp"
#include "control/shared/background_worker.hpp"
#include "control/stacks/stacks.hpp"
#include "fleet/names/arn.hpp"
#include "stacks/plan/plan.hpp"

namespace andon::api {

// What is asked for.
struct StackWish {
  std::string name;
  std::string template_text;
  std::map<std::string, std::string> parameters;  // those that are absent keep their value
  std::map<std::string, std::string> tags;
  std::vector<std::string> capabilities;
  // Removes what the template no longer has; else it stays in the stack.
  bool prune = true;
  std::string token;                // ClientRequestToken
  bool removes_on_failure = false;  // OnFailure=DELETE, of a new stack
};

struct PlanStep {
  enum class Action : std::uint8_t { create, change, replace, remove, keep, same };
  Action action = Action::same;
  std::string id;
  std::string type;
  std::string physical_id;
  std::vector<stacks::Difference> differences;
  std::string reason;
};
[[nodiscard]] std::string_view to_string(PlanStep::Action action);  // "create"

struct StackPlan {
  bool is_new = false;
  std::vector<PlanStep> steps;  // in the order in which they are done
  json::array left_out;
  std::string template_description;
  std::map<std::string, std::string> parameters;
  bool has_other_outputs = false;

  [[nodiscard]] bool has_changes() const;
};

class StackEngine {
 public:
  struct Parts {
    control::Stacks& stacks;
    const InternalCalls& calls;
    S3Service& s3;
    const fleet::Arns& arns;
    const base::Clock& clock;
  };
  // All must outlive it. run() goes on with what an earlier program has left.
  explicit StackEngine(const Parts& parts) : parts_(parts) {}
  void run();
  // What is in hand ends after its present resource, and goes on at the next start.
  void stop();

  [[nodiscard]] control::Stacks& stacks() const { return parts_.stacks; }
  [[nodiscard]] const fleet::Arns& arns() const { return parts_.arns; }
  [[nodiscard]] const base::Clock& clock() const { return parts_.clock; }

  // Changes nothing. Throws invalid_argument, unsupported.
  [[nodiscard]] StackPlan plan(const StackWish& wish, const Caller& caller) const;
  // Parameters, left out and capabilities of a template without a stack.
  [[nodiscard]] std::unique_ptr<StackTemplate> read(const StackWish& wish,
                                                    const Caller& caller) const;

  // Records what is to be done and begins. Throws already_exists, not_found, conflict where
  // something is being done already. The stack as it is then.
  control::Stack create(const StackWish& wish, const Caller& caller);
  control::Stack update(const StackWish& wish, const Caller& caller);
  control::Stack remove(const std::string& name, const std::vector<std::string>& retained,
                        const std::string& token, const Caller& caller);
  // An empty stack in review, that a change set is for.
  control::Stack reserve(const StackWish& wish);

 private:
  struct Run;
  [[nodiscard]] bool step();
  void carry_out(const control::Stack& stack) const;
  void apply(Run& run) const;
  void apply_resource(Run& run, const TemplateResource& resource) const;
  void make(Run& run, const TemplateResource& resource, json::object properties,
            control::StackResource row, bool may_be_there) const;
  void change(Run& run, const TemplateResource& resource, json::object properties,
              control::StackResource row) const;
  void replace(Run& run, const TemplateResource& resource, json::object properties,
               const control::StackResource& row) const;
  void finish(Run& run) const;
  void take_away(Run& run, const std::vector<control::StackResource>& rows) const;
  void take_away_one(Run& run, control::StackResource row) const;
  void take_all_away(Run& run) const;

  [[nodiscard]] Work work_of(const StackCalls& calls, const control::Stack& stack,
                             const control::StackResource& row) const;
  [[nodiscard]] StackWorld world_of(const StackCalls& calls) const;
  [[nodiscard]] stacks::Place place_of(const std::string& name, const std::string& id) const;

  const Parts parts_;
  std::stop_source stop_;
  std::unique_ptr<control::BackgroundWorker> worker_;
};

// Why the resource cannot become so in its place; empty: it can.
[[nodiscard]] std::string why_replaced(const ResourceType& type, const json::object& before,
                                       const json::object& after);

}  // namespace andon::api
