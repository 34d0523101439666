// SPDX-License-Identifier: Apache-2.0
// The configurations of the components for client devices, and what the server says of those: who
// is let in, as the broker's view has it, is written and read back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "broker/view/view.hpp"
#include "edge/clients/broker_files.hpp"
#include "edge/clients/client_settings.hpp"
#include "fleet/messages/data_plane.hpp"

namespace {

namespace edge = andon::edge;

// What is written must be what the broker's module can read.
void write_view(const edge::DeviceGroups& groups, const andon::fleet::ClientDeviceList& clients) {
  std::istringstream lines(edge::client_view(groups, clients, std::string(64, 'a')));
  for (std::string line; std::getline(lines, line);) {
    static_cast<void>(andon::broker::parse_line(line));
  }
}

template <typename Reader>
void try_to(const Reader& read) {
  try {
    read();
  } catch (const andon::base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_to([&] {
    const auto value = andon::base::parse_json(text, "configuration");
    if (!value.is_object()) return;
    const auto& object = value.get_object();
    try_to([&] { static_cast<void>(edge::read_moquette_settings(object)); });
    try_to([&] { static_cast<void>(edge::read_emqx_settings(object)); });
    try_to([&] { static_cast<void>(edge::read_bridge_routes(object)); });
    try_to([&] { static_cast<void>(andon::fleet::read_authorities(value)); });
    edge::DeviceGroups groups;
    try_to([&] {
      groups = edge::read_client_auth_settings(object).groups;
      static_cast<void>(groups.allows("sensor-1", "mqtt:publish", "mqtt:topic:a/b"));
    });
    andon::fleet::ClientDeviceList clients{{{"sensor-1", {std::string(64, 'b')}}}, {}};
    try_to([&] { clients = andon::fleet::read_client_device_list(value); });
    try {
      write_view(groups, clients);
    } catch (const andon::base::Error&) {
      std::abort();
    }
  });
  return 0;
}
