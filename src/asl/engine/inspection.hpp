// SPDX-License-Identifier: Apache-2.0
// One state tried out by itself (TestState): what stands in the place of the world, and what is
// seen of its data on the way. Where a step is given one, the execution ends with the state that it
// begins with: when that would go on to another one, is to be retried, or has failed. A plain
// value, of one execution.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "asl/data/data.hpp"
#include "asl/data/failure.hpp"

namespace andon::asl {

struct Inspection {
  // Given. In the place of the branches of a Parallel and the iterations of a Map; one of the two.
  Data result;
  std::optional<Failure> failure;
  Data items;  // of a Map with an ItemReader; null: it has none that are known
  std::int64_t failed_iterations = 0;
  std::int64_t retries = 0;  // that have been made
  json::object context;      // members of the context object, in the place of the engine's own

  // Seen. By the names of TestState's inspectionData: data as JSON text, numbers as they are.
  json::object seen;
  std::optional<std::int64_t> iterations;
  std::optional<std::int64_t> retrier;  // that is to run it again
  double delay_seconds = 0;
  std::optional<std::int64_t> catcher;
  std::optional<Failure> caught;
  std::string next;  // the state that it would go on to
};

}  // namespace andon::asl
