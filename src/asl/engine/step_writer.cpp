// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/step_writer.hpp"

namespace andon::asl {

Branch* StepWriter::change_task(std::int64_t task) {
  const std::int64_t owner = ExecutionState::owner_of(task);
  const Branch* branch = execution_.find(owner);
  return branch != nullptr && task != 0 && branch->task == task ? change(owner) : nullptr;
}

Branch* StepWriter::change_in(std::int64_t id, Phase phase) {
  const Branch* branch = execution_.find(id);
  return branch != nullptr && branch->phase == phase ? change(id) : nullptr;
}

const State& StepWriter::state_of(const Branch& branch) const {
  return machine_.flow(branch.flow).state(branch.state);
}

Branch& StepWriter::add_branch(std::int64_t parent, std::int64_t index, std::size_t flow,
                               Held input) {
  Branch& branch = execution_.add_branch();
  branch.parent = parent;
  branch.index = index;
  branch.flow = flow;
  branch.state = machine_.flow(flow).start_at;
  branch.input = std::move(input);
  make_ready(branch, Phase::entering);
  return branch;
}

void StepWriter::make_ready(Branch& branch, Phase phase) {
  branch.phase = phase;
  execution_.ready.push_back(branch.id);
}

HistoryEvent& StepWriter::event_after(std::int64_t previous, std::string type,
                                      std::string details) {
  HistoryEvent& event = step_.history.emplace_back();
  event.id = execution_.next_event++;
  event.previous = previous;
  event.time = now_;
  event.type = std::move(type);
  event.details = std::move(details);
  return event;
}

HistoryEvent& StepWriter::event(Branch& branch, std::string type, std::string details) {
  HistoryEvent& added = event_after(branch.previous_event, std::move(type), std::move(details));
  branch.previous_event = added.id;
  return added;
}

std::int64_t StepWriter::start_timer(const Branch& branch, base::Timestamp due,
                                     std::string purpose) {
  const std::int64_t timer = execution_.new_number(branch.id);
  decide(StartTimer{timer, due, branch.state, std::move(purpose)});
  return timer;
}

void StepWriter::start_execution_timer() {
  const auto timeout = machine_.timeout_seconds();
  if (!timeout || execution_.flow != 0) return;
  execution_.execution_timer = execution_.new_number(0);
  decide(StartTimer{execution_.execution_timer, now_ + std::chrono::seconds(*timeout), "",
                    "execution timeout"});
}

void StepWriter::cancel_timer(std::int64_t& timer) {
  if (timer != 0) decide(CancelTimer{timer});
  timer = 0;
}

void StepWriter::stop_waiting(Branch& branch) {
  cancel_timer(branch.timer);
  cancel_timer(branch.timeout);
  cancel_timer(branch.heartbeat);
  if (branch.task != 0 && branch.phase == Phase::working) decide(CancelTask{branch.task});
  branch.task = 0;
  if (branch.phase == Phase::reading_items || branch.phase == Phase::writing_results) {
    branch.fork.reset();
  }
}

}  // namespace andon::asl
