// SPDX-License-Identifier: Apache-2.0
// A deployment document that is accepted is written and read back to the same text, and what an
// operator may ask for is a document that every device takes.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "recipe/deployment/deployment_document.hpp"

namespace {

using namespace andon;

void check_device(std::string text) {
  try {
    text = base::to_text(recipe::to_json(recipe::parse_deployment_document(text)));
  } catch (const base::Error&) {
    return;
  }
  const auto again = recipe::to_json(recipe::parse_deployment_document(text));
  if (base::to_text(again) != text) std::abort();
}

void check_request(const std::string& text) {
  recipe::Problems problems;
  recipe::DeploymentDocument document;
  try {
    document = recipe::parse_deployment(base::parse_json(text, "request"),
                                        recipe::Strictness::request, problems);
  } catch (const base::Error&) {
    return;
  }
  if (!problems.empty()) return;
  const std::string written = base::to_text(recipe::to_json(document));
  if (written.size() > 1U << 20U) return;
  if (base::to_text(recipe::to_json(recipe::parse_deployment_document(written))) != written) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_device(text);
  check_request(text);
  return 0;
}
