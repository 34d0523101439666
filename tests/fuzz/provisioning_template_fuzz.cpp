// SPDX-License-Identifier: Apache-2.0
// The body of a provisioning template, and what a device says for it, are refused with their place
// or come to the same wishes each time.
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "control/provisioning/template_body.hpp"
#include "fleet/provisioning/provisioning_message.hpp"

namespace {

using namespace andon;

void fill_in(std::string_view text) {
  const control::TemplateBody body = control::TemplateBody::parse(text);
  const std::map<std::string, std::string> given{{"SerialNumber", "SN-1"},
                                                 {"AWS::IoT::Certificate::Id", "c0ffee"}};
  const auto once = body.fill_in(given);
  const auto again = body.fill_in(given);
  const bool is_same = once.thing.has_value() == again.thing.has_value() &&
                       once.policies.size() == again.policies.size() &&
                       once.device_configuration == again.device_configuration;
  if (!is_same) std::abort();
  if (once.thing && once.thing->second.name.empty()) std::abort();
}

void read_message(std::string_view text) {
  if (const auto question = fleet::parse_question_topic(text)) {
    if (!fleet::parse_provisioning_topic(question->topic)) std::abort();
  }
  (void)fleet::parse_delivery_topic(text);
  const base::json::value value = base::parse_json(text, "message");
  if (value.is_object()) (void)fleet::read_provision_question(value.get_object());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    fill_in(text);
  } catch (const base::Error&) {
  }
  try {
    read_message(text);
  } catch (const base::Error&) {
  }
  return 0;
}
