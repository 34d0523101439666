// SPDX-License-Identifier: Apache-2.0
// States whose work is branches of the same execution: Parallel and inline Map; and what a Map run
// shares with them. Internal to asl.
#pragma once

#include <string>

#include "asl/engine/part.hpp"

namespace andon::asl {

class Forks : Part {
 public:
  explicit Forks(Parts& parts) : Part(parts) {}

  void run_parallel(Branch& branch, const State& state);
  void run_map(Branch& branch, const State& state);

  // A branch of `parent` has come to the end of its flow, or has failed.
  void child_finished(Branch& parent, Branch& child, const Data& output);
  void child_failed(Branch& parent, Branch& child, const Failure& failure);
  void abort_children(Branch& parent);

  // --- of either kind of Map
  Data items_of(Branch& branch, const State& state, const Scope& scope);
  // The input of item `index`, which it puts into `item`.
  Held item_input(Branch& branch, const State& state, std::int64_t index, MapItem& item);
  std::int64_t concurrency_of(const State& state, const Scope& scope, std::int64_t most);
  // Of the children that have succeeded, in the order of their index.
  json::array outputs_of(const Branch& branch, const State& state) const;

  // --- of a state that is tried out
  // Ends it with what stands in the place of its branches or iterations; false: it is none.
  bool end_in_place(Branch& branch, const State& state, const char* failed);
  // What a Map has made of its items.
  void show_items(Branch& branch, const State& state);

 private:
  void start_iterations(Branch& branch, const State& state, std::int64_t previous);
  void note_iteration(Branch& child, const Branch& parent, const std::string& what);
};

}  // namespace andon::asl
