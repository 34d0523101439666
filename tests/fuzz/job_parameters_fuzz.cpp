// SPDX-License-Identifier: Apache-2.0
// The parameters of a job: read, or refused with a base::Error; what was read is an order that its
// keeper reads as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/tasks/job_parameters.hpp"
#include "base/error/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string order;
  try {
    auto job = andon::api::read_job_parameters(andon::base::parse_json(text, "the parameters"));
    job.order.id = "x";
    order = to_text(job.order);
  } catch (const andon::base::Error&) {
    return 0;
  }
  if (to_text(andon::job::parse_order(order)) != order) std::abort();
  return 0;
}
