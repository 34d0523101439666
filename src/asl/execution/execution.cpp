// SPDX-License-Identifier: Apache-2.0
#include "asl/execution/execution.hpp"

#include "asl/execution/execution_records.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

// A number is its place in the order of all numbers, and below that its branch.
constexpr int kBranchBits = 31;

}  // namespace

const Branch* ExecutionState::find(std::int64_t id) const {
  const auto found = branches_.find(id);
  if (found != branches_.end()) return &found->second;
  if (source_ == nullptr || id < 0 || id >= next_branch_ || all_erased_ || erased_.contains(id)) {
    return nullptr;
  }
  auto read = read_branch(id, source_);
  return read ? &branches_.emplace(id, *std::move(read)).first->second : nullptr;
}

Branch* ExecutionState::change(std::int64_t id) {
  if (find(id) == nullptr) return nullptr;
  changed_.insert(id);
  return &branches_.at(id);
}

Branch& ExecutionState::add_branch() {
  const std::int64_t id = next_branch_++;
  if (id >= std::int64_t{1} << kBranchBits) {
    throw base::Error(base::ErrorCode::resource_exhausted,
                      "the execution has had more branches than can be numbered");
  }
  changed_.insert(id);
  Branch& branch = branches_[id];
  branch.id = id;
  return branch;
}

void ExecutionState::erase_branch(std::int64_t id) {
  const auto found = branches_.find(id);
  if (found == branches_.end()) return;
  variable_bytes -= found->second.variable_bytes;
  branches_.erase(found);
  changed_.erase(id);
  erased_.insert(id);
}

void ExecutionState::erase_all_branches() {
  branches_.clear();
  changed_.clear();
  erased_.clear();
  all_erased_ = true;
  variable_bytes = 0;
}

std::int64_t ExecutionState::new_number(std::int64_t branch) {
  return (next_number_++ << kBranchBits) | branch;
}

std::int64_t ExecutionState::owner_of(std::int64_t number) {
  return number & ((std::int64_t{1} << kBranchBits) - 1);
}

std::optional<Outcome> ExecutionState::outcome(const Branch& branch, std::int64_t index) const {
  const Fork& fork = *branch.fork;
  if (const auto found = fork.outcomes.find(index); found != fork.outcomes.end()) {
    return found->second;
  }
  if (source_ == nullptr || !fork.stored) return std::nullopt;
  return read_outcome(branch.id, index, *source_);
}

void ExecutionState::set_outcome(Fork& fork, std::int64_t index, Outcome outcome) {
  fork.outcomes[index] = std::move(outcome);
  fork.unstored.insert(index);
}

void ExecutionState::attach(std::shared_ptr<const RecordSource> source) {
  source_ = std::move(source);
  for (auto& [id, branch] : branches_) {
    if (branch.fork) keep_in_records(branch, source_);
  }
}

}  // namespace andon::asl
