// SPDX-License-Identifier: Apache-2.0
// What may come to andon-inspect over HTTP as a trigger: a request, and the id in its body.
#include <cstdlib>

#include "base/error/error.hpp"
#include "inspect/trigger/trigger_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string body(reinterpret_cast<const char*>(data), size);
  try {
    const std::string id = inspect::read_trigger_body(body);
    if (id.size() > inspect::kMostPartIdBytes || id.find('\n') != std::string::npos) std::abort();
  } catch (const base::Error&) {
  }
  const inspect::TriggerCallbacks callbacks{
      .on_part = [](std::string id, inspect::Instant) { return std::optional(std::move(id)); },
      .status = [] { return base::json::object{}; }};
  const auto answer = inspect::answer_trigger({"POST", "/trigger", {}, body}, callbacks, {});
  if (answer.status != 202 && answer.status != 400) std::abort();
  return 0;
}
