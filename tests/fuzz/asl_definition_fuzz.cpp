// SPDX-License-Identifier: Apache-2.0
// Any text as a definition: what has no error must run to an end or a clear error.
#include <cstdint>
#include <string_view>

#include "asl/definition/validator.hpp"
#include "asl/local/local_run.hpp"
#include "base/error/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = asl::read_definition(text);
  if (!read.machine) return 0;
  asl::MockAnswers none;
  asl::LocalRunOptions options;
  options.start.input = asl::make_data(base::parse_json(R"({"a":[1,{"b":"x"}],"n":3})", "input"));
  options.limits.history_events = 200;
  options.most_steps = 500;
  try {
    (void)asl::run_locally(*read.machine, none, options);
  } catch (const base::Error& error) {
    if (error.code() == base::ErrorCode::internal) throw;
  }
  return 0;
}
