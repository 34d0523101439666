// SPDX-License-Identifier: Apache-2.0
// Distributed Map: the items are read, each or a batch of them is a child execution of its own,
// failures are tolerated up to a limit, the results are written. Internal to asl.
#pragma once

#include "asl/engine/part.hpp"

namespace andon::asl {

class MapRuns : Part {
 public:
  explicit MapRuns(Parts& parts) : Part(parts) {}

  void run(Branch& branch, const State& state);

  // What the host reports. What no branch waits for changes nothing.
  void on(const ItemsRead& event);
  void on(const ItemsFailed& event);
  void on(const ChildEnded& event);
  void on(const MapRunChanged& event);
  void on(const ResultsWritten& event);
  void on(const ResultsFailed& event);

 private:
  // ToleratedFailureCount and ToleratedFailurePercentage.
  void read_tolerance(Fork& fork, const MapState& map, const Scope& scope);
  // The limits of ItemBatcher, where there is one.
  void read_batcher(Branch& branch, const State& state);
  // Of a state that is tried out: what it would do, and its end.
  void try_out(Branch& branch, const State& state, const std::optional<Data>& items);
  void begin_children(Branch& branch, const State& state);
  void start_children(Branch& branch, const State& state);
  // The next batch of items as the input of a child, and how many they are.
  Data batch_input(Branch& branch, const State& state, std::int64_t& count);
  // Fails the map run where more children failed than it tolerates.
  bool check_tolerance(Branch& branch);
  void end(Branch& branch, const State& state);
  void fail(Branch& branch, const Failure& failure);
};

}  // namespace andon::asl
