// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/ip_detector.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <memory>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/os/file.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::minutes kBetween{1};
constexpr std::size_t kMostAddresses = 50;  // of the server
constexpr std::int64_t kHighestPort = 65'535;

const base::JsonReading kReading{.texts = base::JsonReading::Texts::as_values};

}  // namespace

IpDetectorSettings read_ip_detector_settings(const json::object& configuration) {
  const base::JsonReader all(configuration, "", kReading);
  IpDetectorSettings settings;
  if (const auto port = all.optional_integer("defaultPort", 1, kHighestPort)) {
    settings.port = static_cast<std::uint16_t>(*port);
  }
  settings.with_loopback = all.optional_bool("includeIPv4LoopbackAddrs").value_or(false);
  settings.with_link_local = all.optional_bool("includeIPv4LinkLocalAddrs").value_or(false);
  return settings;
}

bool is_told(std::uint32_t address, const IpDetectorSettings& settings) {
  const bool is_loopback = (address >> 24U) == 127U;
  const bool is_link_local = (address >> 16U) == 0xA9FEU;  // 169.254.0.0/16
  return address != 0 && (!is_loopback || settings.with_loopback) &&
         (!is_link_local || settings.with_link_local);
}

std::vector<std::string> own_addresses(const IpDetectorSettings& settings) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0)
    throw base::system_error("cannot list this machine's addresses", errno);
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(all, freeifaddrs);
  std::set<std::uint32_t> found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    const bool is_up = (one->ifa_flags & static_cast<unsigned>(IFF_UP)) != 0;
    if (!is_up || one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    const auto* const plain =
        static_cast<const sockaddr_in*>(static_cast<const void*>(one->ifa_addr));
    const std::uint32_t address = ntohl(plain->sin_addr.s_addr);
    if (is_told(address, settings) && found.size() < kMostAddresses) found.insert(address);
  }
  std::vector<std::string> addresses;
  for (const std::uint32_t one : found) {
    const in_addr address{htonl(one)};
    std::array<char, INET_ADDRSTRLEN> text{};
    addresses.emplace_back(inet_ntop(AF_INET, &address, text.data(), text.size()));
  }
  return addresses;
}

json::object connectivity_of(const std::vector<std::string>& addresses, std::uint16_t port) {
  json::array all;
  for (const std::string& one : addresses) {
    all.push_back(
        json::object{{"Id", one}, {"HostAddress", one}, {"PortNumber", port}, {"Metadata", ""}});
  }
  return {{"ConnectivityInfo", std::move(all)}};
}

IpDetector::~IpDetector() {
  parts_.loop.cancel(timer_);
}

void IpDetector::refresh() {
  const json::object* const configuration = parts_.configuration();
  std::optional<IpDetectorSettings> settings;
  try {
    if (configuration != nullptr) settings = read_ip_detector_settings(*configuration);
  } catch (const base::Error& error) {
    settings_.reset();
    return fail(NoteCode::configuration_not_used, "its configuration is wrong: " + error.message());
  }
  if (settings == settings_) return;
  settings_ = settings;
  if (!settings_) taken_.clear();  // where it comes back, the server is told again
  look();
}

void IpDetector::connection_changed(bool is_connected) {
  if (is_connected && !problem_.empty()) look();
}

void IpDetector::look() {
  parts_.loop.cancel(std::exchange(timer_, 0));
  if (!settings_) return;
  timer_ = parts_.loop.after(kBetween, [this] {
    timer_ = 0;
    look();
  });
  if (is_telling_) return;
  try {
    const std::vector<std::string> addresses = parts_.addresses(*settings_);
    const json::object connectivity = connectivity_of(addresses, settings_->port);
    if (addresses.empty() || connectivity == taken_) return;
    is_telling_ = true;
    worker_.run(
        [tell = parts_.tell, connectivity] { tell(connectivity); },
        [this, connectivity](const std::exception_ptr& error) { told(connectivity, error); });
  } catch (const base::Error& error) {
    fail(NoteCode::addresses_not_told, error.message());
  }
}

void IpDetector::told(const json::object& connectivity, const std::exception_ptr& error) {
  is_telling_ = false;
  try {
    if (error) std::rethrow_exception(error);
    taken_ = connectivity;
    problem_.clear();
    parts_.note({});
    base::log_info("told the server where this device is reached",
                   {{"connectivity", base::to_text(connectivity)}});
    look();  // the configuration may be another by now
  } catch (const base::Error& wrong) {
    fail(NoteCode::addresses_not_told,
         "the server does not know where this device is reached: " + wrong.message());
  }
}

void IpDetector::fail(NoteCode code, const std::string& why) {
  if (why != problem_) base::log_warning("client devices may not find this device", {{"why", why}});
  problem_ = why;
  parts_.note({code, why});
}

}  // namespace andon::edge
