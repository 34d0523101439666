// SPDX-License-Identifier: Apache-2.0
// What server and device say to each other of commands, and its topics: what is taken is written
// and read the same, and is within its limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "fleet/command/command_answer.hpp"
#include "fleet/command/command_request.hpp"
#include "fleet/names/topic.hpp"

namespace {

using namespace andon;

template <typename Parse>
void read_and_write(const std::string& text, const Parse& parse) {
  try {
    const auto read = parse(text);
    if (parse(fleet::to_message(read)) != read) std::abort();
  } catch (const base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  read_and_write(text, [](const std::string& one) { return fleet::parse_command_request(one); });
  read_and_write(text, [](const std::string& one) { return fleet::parse_command_grant(one); });
  try {
    const fleet::CommandMessage message = fleet::parse_command_message(text);
    if (const auto* answer = std::get_if<fleet::CommandAnswer>(&message)) {
      if (answer->sequence == 0 || answer->bytes() > fleet::kMostAnswerBytes) std::abort();
      (void)fleet::parse_command_message(fleet::to_message(*answer));
    }
  } catch (const base::Error&) {
  }
  try {
    if (!fleet::is_command_id(fleet::parse_command_cancel(text))) std::abort();
  } catch (const base::Error&) {
  }
  if (const auto topic = fleet::parse_command_answers(text)) {
    if (fleet::DeviceTopics(topic->thing).command_answers(topic->command_id) != text) std::abort();
    if (!fleet::is_command_topic(text)) std::abort();
  }
  return 0;
}
