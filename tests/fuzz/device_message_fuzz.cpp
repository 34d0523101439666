// SPDX-License-Identifier: Apache-2.0
// A message of a device: the topic in the first line, the payload after it. The server must answer
// or leave it alone, whatever it is.
#include <cstdint>
#include <string>
#include <string_view>

#include "api/device/device_messages.hpp"
#include "control/testing/control_fixture.hpp"

namespace {

class World : public andon::control::ControlFixture {
 public:
  World() {
    add_component("com.ex.Hello", "1.0.0");
    (void)enrol("dev1");
    (void)deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  if (line_end == std::string_view::npos) return 0;
  andon::api::handle_device_message(world.control(), world.notifier(), world.clock(),
                                    std::string(input.substr(0, line_end)),
                                    std::string(input.substr(line_end + 1)));
  (void)world.notifier().take();
  return 0;
}
