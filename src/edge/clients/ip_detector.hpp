// SPDX-License-Identifier: Apache-2.0
// Room: clients. What a core device does for its client devices.
// aws.greengrass.clientdevices.IPDetector: tells the server under which addresses this machine is
// reached, so that client devices find it by discovery. The addresses are looked at every minute,
// and told when they, or the configuration, are others than those that the server has taken; what
// fails is tried again. Owned by the agent; main thread only, which it never keeps waiting.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/run/component_note.hpp"

namespace andon::edge {

namespace json = base::json;

inline constexpr std::string_view kIpDetector = "aws.greengrass.clientdevices.IPDetector";

// The component's configuration as Greengrass has it.
struct IpDetectorSettings {
  std::uint16_t port = 8883;
  bool with_loopback = false;
  bool with_link_local = false;

  friend bool operator==(const IpDetectorSettings&, const IpDetectorSettings&) = default;
};
// Throws invalid_argument naming the member.
[[nodiscard]] IpDetectorSettings read_ip_detector_settings(const json::object& configuration);

// IPv4 addresses of the interfaces that are up, each once, in order; at most as many as the server
// takes. Throws internal where the system does not tell.
[[nodiscard]] std::vector<std::string> own_addresses(const IpDetectorSettings& settings);
// Whether the address is one that is told. Pure.
[[nodiscard]] bool is_told(std::uint32_t address, const IpDetectorSettings& settings);

// The body of UpdateConnectivityInfo.
[[nodiscard]] json::object connectivity_of(const std::vector<std::string>& addresses,
                                           std::uint16_t port);

class IpDetector {
 public:
  struct Parts {
    EventLoop& loop;
    // The component's configuration; null where it is not in the set.
    std::function<const json::object*()> configuration;
    std::function<std::vector<std::string>(const IpDetectorSettings&)> addresses;
    // Tells the server; blocks, on a thread that is not the loop's.
    std::function<void(const json::object& connectivity)> tell;
    TakeNote note;
  };
  explicit IpDetector(Parts parts) : parts_(std::move(parts)), worker_(parts_.loop) {}
  IpDetector(const IpDetector&) = delete;
  IpDetector& operator=(const IpDetector&) = delete;
  ~IpDetector();

  // The set or a configuration may have changed.
  void refresh();
  void connection_changed(bool is_connected);

 private:
  void look();
  void told(const json::object& connectivity, const std::exception_ptr& error);
  void fail(NoteCode code, const std::string& why);

  Parts parts_;
  std::optional<IpDetectorSettings> settings_;
  json::object taken_;  // by the server, from this agent
  std::string problem_;
  EventLoop::TimerId timer_ = 0;
  bool is_telling_ = false;
  Worker worker_;  // last: it ends before what its work uses
};

}  // namespace andon::edge
