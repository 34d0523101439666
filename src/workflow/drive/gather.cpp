// SPDX-License-Identifier: Apache-2.0
// What the language has decided, as what is to be committed. Nothing here has an effect yet.
#include <algorithm>
#include <set>

#include "workflow/drive/driver.hpp"

namespace andon::workflow {
namespace {

bool may_be_answered_from_outside(const asl::Resource& resource) {
  return resource.kind == asl::Resource::Kind::activity ||
         resource.pattern != asl::Resource::Pattern::request_response;
}

json::value value_of(const asl::Data& data) {
  return data == nullptr ? json::value() : *data;
}

TaskRow row_of(const asl::ScheduleTask& task) {
  TaskRow row;
  row.key = {TaskKind::task, task.task, 0};
  row.body = {{"state", task.state},
              {"resource", task.resource.text},
              {"parameters", value_of(task.parameters)},
              {"token", task.token}};
  if (task.credentials != nullptr) row.body["taskRole"] = task_role_of(task.credentials);
  if (task.heartbeat_seconds) row.body["heartbeat"] = *task.heartbeat_seconds;
  if (may_be_answered_from_outside(task.resource)) row.token = task.token;
  if (task.resource.kind == asl::Resource::Kind::activity) row.activity = task.resource.text;
  return row;
}

TaskRow row_of(const asl::ReadItems& request) {
  TaskRow row;
  row.key = {TaskKind::items, request.branch, request.branch};
  row.body = {{"state", request.state},
              {"resource", request.resource},
              {"parameters", value_of(request.parameters)},
              {"config", request.config}};
  if (request.max_items) row.body["maxItems"] = *request.max_items;
  return row;
}

}  // namespace

void Driver::end_task(Pending& pending, const TaskKey& key) {
  Loaded& loaded = *pending.loaded;
  Commit& commit = pending.commit;
  const auto open = loaded.open.find(key);
  if (open == loaded.open.end()) return;
  const auto begun =
      std::erase_if(commit.tasks, [&key](const TaskRow& task) { return task.key == key; });
  if (begun == 0) commit.ended[key] = open->second.token;
  commit.submitted.erase(key);
  loaded.open.erase(open);
}

// The tasks that end with the event itself, so that the rest is what is cancelled.
void Driver::note_event(Pending& pending, const asl::EventBody& body) {
  if (const auto* timer = std::get_if<asl::TimerFired>(&body)) {
    pending.commit.cancelled_timers.push_back(timer->timer);
    return;
  }
  const auto key = key_of(body);
  if (!key || std::holds_alternative<asl::TaskHeartbeat>(body)) return;
  // Accepted, or in a worker's hands: it is not to be begun again.
  if (std::holds_alternative<asl::TaskStarted>(body) ||
      std::holds_alternative<asl::TaskSubmitted>(body)) {
    pending.commit.submitted.insert(*key);
    return;
  }
  if (const auto* items = std::get_if<asl::ItemsRead>(&body); items != nullptr && items->more) {
    return;
  }
  end_task(pending, *key);
}

void Driver::gather(Pending& pending, asl::Step step) {
  struct Gather {
    Driver& driver;
    Pending& pending;
    Loaded& loaded;
    Commit& commit;

    void begin(TaskRow row) const {
      loaded.open[row.key] = {row.token, row.child};
      commit.tasks.push_back(std::move(row));
    }
    void cancel(const TaskKey& key) const {
      const auto open = loaded.open.find(key);
      if (open == loaded.open.end()) return;
      if (!open->second.child.empty()) commit.stops.push_back(open->second.child);
      driver.end_task(pending, key);
      pending.cancelled.push_back(key);
    }

    void operator()(const asl::ScheduleTask& task) const { begin(row_of(task)); }
    void operator()(const asl::CancelTask& task) const { cancel({TaskKind::task, task.task, 0}); }
    void operator()(const asl::StartTimer& timer) const { commit.timers[timer.timer] = timer.due; }
    void operator()(const asl::CancelTimer& timer) const {
      if (commit.timers.erase(timer.timer) == 0) commit.cancelled_timers.push_back(timer.timer);
    }
    void operator()(const asl::ReadItems& request) const { begin(row_of(request)); }
    void operator()(const asl::StartChild& child) const {
      TaskRow row;
      row.key = {TaskKind::child, child.index, child.branch};
      const std::string machine = machine_of_map_run(child.map_run);
      const Arns& arns = driver.parts_.arns;
      row.child = arns.execution(machine, child.name);
      if (child.express) row.child = arns.express(machine, child.name, derived_uuid(row.child));
      row.body = {
          {"state", child.state}, {"mapRun", child.map_run},        {"name", child.name},
          {"flow", child.flow},   {"input", value_of(child.input)}, {"express", child.express}};
      if (child.item) {
        json::object item{{"index", child.item->index},
                          {"value", value_of(child.item->value.get())}};
        if (child.item->key) item["key"] = *child.item->key;
        if (child.item->source) item["source"] = *child.item->source;
        row.body["item"] = std::move(item);
      }
      begin(std::move(row));
    }
    void operator()(const asl::AbortChildren& abort) const {
      std::vector<TaskKey> children;
      for (const auto& [key, task] : loaded.open) {
        if (key.kind == TaskKind::child && key.branch == abort.branch) children.push_back(key);
      }
      for (const TaskKey& key : children) cancel(key);
    }
    void operator()(const asl::WriteResults& request) const {
      TaskRow row;
      row.key = {TaskKind::results, request.branch, request.branch};
      row.body = {{"state", request.state},       {"mapRun", request.map_run},
                  {"resource", request.resource}, {"parameters", value_of(request.parameters)},
                  {"config", request.config},     {"children", request.children}};
      begin(std::move(row));
    }
    void operator()(const asl::Continue& /*decision*/) const { commit.resumes = true; }
    void operator()(const asl::Finish& /*decision*/) const {
      commit.resumes = false;
      std::vector<TaskKey> left;
      for (const auto& [key, task] : loaded.open) left.push_back(key);
      for (const TaskKey& key : left) cancel(key);
    }
  };
  pending.loaded->state = std::move(step.state);
  const std::size_t first_event = pending.commit.events.size();
  std::ranges::move(step.history, std::back_inserter(pending.commit.events));
  // Said anew by each step that has more to do.
  pending.commit.resumes = false;
  const Gather gather{*this, pending, *pending.loaded, pending.commit};
  for (const asl::Decision& decision : step.decisions) std::visit(gather, decision);
  note_map_runs(pending, first_event);
}

void Driver::note_map_runs(Pending& pending, std::size_t first_event) {
  Loaded& loaded = *pending.loaded;
  Commit& commit = pending.commit;
  const auto keep = [&commit](const MapRunRow& run) {
    std::erase_if(commit.map_runs, [&run](const MapRunRow& old) { return old.arn == run.arn; });
    commit.map_runs.push_back(run);
  };
  std::vector<std::string> ends;
  for (std::size_t i = first_event; i < commit.events.size(); ++i) {
    const asl::HistoryEvent& event = commit.events[i];
    if (event.type == "MapRunSucceeded") ends.emplace_back("SUCCEEDED");
    if (event.type == "MapRunFailed") ends.emplace_back("FAILED");
    if (event.type == "MapRunAborted") ends.emplace_back("ABORTED");
  }
  const auto fork_of = [&loaded](std::int64_t branch) -> const asl::Fork* {
    const asl::Branch* found = loaded.state.find(branch);
    if (found == nullptr || !found->fork || found->fork->map_run.empty()) return nullptr;
    return &*found->fork;
  };
  std::set<std::int64_t> branches;  // that run a distributed Map
  for (const auto& [branch, run] : loaded.map_runs) branches.insert(branch);
  for (const auto& [key, task] : loaded.open) {
    if (key.kind != TaskKind::task) branches.insert(key.branch);
  }
  for (const std::int64_t id : branches) {
    const asl::Fork* fork = fork_of(id);
    if (fork == nullptr) continue;
    MapRunRow& run = loaded.map_runs[id];
    if (run.arn != fork->map_run) {
      run = {.arn = fork->map_run,
             .execution = loaded.row.id,
             .branch = id,
             .started = commit.events.empty() ? parts_.clock.now() : commit.events.back().time};
    }
    run.max_concurrency = fork->concurrency;
    run.tolerated_count = fork->tolerated_count.value_or(0);
    run.tolerated_percentage = fork->tolerated_percentage.value_or(0);
    const std::int64_t ended = fork->next - fork->running;
    const bool batched = fork->batch_items > 0;
    run.counts = {{"total", fork->count},
                  {"failed", fork->failed_items},
                  {"running", batched ? 0 : fork->running},
                  {"succeeded", batched ? 0 : ended - fork->failed},
                  {"children", batched ? fork->next : fork->count},
                  {"succeededChildren", ended - fork->failed},
                  {"failedChildren", fork->failed}};
    keep(run);
  }
  auto end = ends.begin();
  for (auto at = loaded.map_runs.begin(); at != loaded.map_runs.end();) {
    const asl::Fork* fork = fork_of(at->first);
    if (fork != nullptr && fork->map_run == at->second.arn) {
      ++at;
      continue;
    }
    MapRunRow& run = at->second;
    run.status = end != ends.end() ? *end++ : "ABORTED";
    run.stopped = parts_.clock.now();
    const auto count = [&run](const char* key) {
      const auto* value = run.counts.if_contains(key);
      return value == nullptr ? std::int64_t{0} : value->to_number<std::int64_t>();
    };
    run.counts["running"] = 0;
    if (run.status == "SUCCEEDED") run.counts["succeeded"] = count("total") - count("failed");
    keep(run);
    at = loaded.map_runs.erase(at);
  }
}

void Driver::complete(Pending& pending) {
  Loaded& loaded = *pending.loaded;
  Commit& commit = pending.commit;
  asl::ExecutionState& state = loaded.state;
  commit.has_tasks = !loaded.open.empty();
  const bool has_ended = state.status != asl::Status::running;
  commit.row.status = state.status;
  if (has_ended) {
    commit.row.stopped = commit.events.empty() ? parts_.clock.now() : commit.events.back().time;
    if (state.output != nullptr) commit.row.output = base::to_text(*state.output);
    commit.row.error = state.error;
    commit.row.cause = state.cause;
  }
  if (loaded.express) return;
  commit.events_text = asl::to_text(commit.events);
  const bool is_redrivable = has_ended && state.status != asl::Status::succeeded;
  if (!has_ended || is_redrivable) {
    commit.state = state.take_changes();
  } else if (!commit.is_new) {
    commit.state.erase = {""};
  }
}

}  // namespace andon::workflow
