// SPDX-License-Identifier: Apache-2.0
// How branches move: into a state, out of it with its output, to the end of their flow, and with
// the first of them the execution to its end. Internal to asl.
#pragma once

#include <optional>
#include <string>

#include "asl/engine/part.hpp"

namespace andon::asl {

class Branches : Part {
 public:
  explicit Branches(Parts& parts) : Part(parts) {}

  // Runs the state that the branch is ready for.
  void advance(Branch& branch);
  // ResultSelector, ResultPath, Assign, OutputPath; or Output and Assign. Then leaves the state.
  void complete(Branch& branch, const State& state, const Data& result);
  // Leaves the state with `output` for `next`, or ends the branch where that is empty.
  void leave(Branch& branch, const Data& output, const std::string& next, Assigned assigned);

  // Ends the execution; its last event follows event `previous`.
  void finish(Status status, const Data& output, std::optional<std::string> error,
              std::optional<std::string> cause, std::int64_t previous);
  // Ends it with all that its branches wait for.
  void stop_all(Status status, std::optional<std::string> error, std::optional<std::string> cause);

 private:
  void enter(Branch& branch);
  void end_branch(Branch& branch, const Data& output);
};

}  // namespace andon::asl
