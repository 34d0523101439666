// SPDX-License-Identifier: Apache-2.0
// Definitions of pipelines: read, or refused with a base::Error; what was read is a state machine
// that the language's own reader takes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "asl/definition/validator.hpp"
#include "base/error/error.hpp"
#include "workflow/pipelines/definition.hpp"
#include "workflow/pipelines/translation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace workflow = andon::workflow;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string machine;
  try {
    const auto pipeline = workflow::parse_pipeline(text);
    machine = andon::base::to_text(workflow::to_state_machine(pipeline, "p", 2));
    (void)workflow::parameter_values(pipeline, {});
  } catch (const andon::base::Error&) {
    if (machine.empty()) return 0;
  }
  if (!andon::asl::read_definition(machine, {}).machine) std::abort();
  return 0;
}
