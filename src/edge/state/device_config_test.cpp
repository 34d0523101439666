// SPDX-License-Identifier: Apache-2.0
#include "edge/state/device_config.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

const std::string kDevice =
    R"({"thingName":"line-1","region":"eu","mqtt":{"host":"h","port":8883},)"
    R"("dataPlane":{"host":"::1","port":8443}})";

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(parse_device_config(base::parse_json(text, "test")));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message();
  }
  return "no error";
}

std::string with(const std::string& from, const std::string& to) {
  std::string text = kDevice;
  return text.replace(text.find(from), from.size(), to);
}

TEST(DeviceConfig, ReadsBackWhatItWrites) {
  const DeviceConfig config = parse_device_config(base::parse_json(kDevice, "test"));
  EXPECT_EQ(config.thing_name, "line-1");
  EXPECT_EQ(config.mqtt, (fleet::Endpoint{"h", 8883}));
  EXPECT_EQ(config.role_alias, "andon");
  EXPECT_EQ(to_json(parse_device_config(to_json(config))), to_json(config));
}

TEST(DeviceConfig, KeepsTheProxyOfTheEnrolmentAndItsPasswordFromOthers) {
  const base::TemporaryDirectory directory;
  const Layout layout(directory.path());
  layout.make();
  DeviceConfig config = parse_device_config(base::parse_json(kDevice, "test"));
  for (const auto& [proxy, others] :
       {std::pair{"http://proxy:3128", true}, std::pair{"http://u:p@proxy:3128", false}}) {
    config.proxy = proxy;
    save_device_config(layout, config);
    EXPECT_EQ(load_device_config(layout).value().proxy, proxy);
    const auto all = fs::status(layout.device_file()).permissions();
    EXPECT_EQ((all & fs::perms::others_read) != fs::perms::none, others) << proxy;
  }
}

TEST(DeviceConfig, PutsAnIpv6AddressInBrackets) {
  DeviceConfig config = parse_device_config(base::parse_json(kDevice, "test"));
  EXPECT_EQ(config.data_plane_url(), "https://[::1]:8443");
  config.data_plane = {"server.local", 1};
  EXPECT_EQ(config.data_plane_url(), "https://server.local:1");
}

TEST(DeviceConfig, NamesWhatIsWrong) {
  // A thing name becomes part of paths and topics.
  for (const char* name : {"", "a/b", "..", "a b", "a+", "ä"}) {
    EXPECT_NE(error_of(with("line-1", name)).find("thingName"), std::string::npos) << name;
  }
  EXPECT_NE(error_of(with("line-1", std::string(129, 'x'))).find("thingName"), std::string::npos);
  EXPECT_NE(error_of(with("8883", "0")).find("mqtt"), std::string::npos);
  EXPECT_NE(error_of(with("8443", "65536")).find("dataPlane"), std::string::npos);
  EXPECT_NE(error_of(with("\"h\"", "\"\"")).find("mqtt"), std::string::npos);
  EXPECT_NE(error_of("{}").find("thingName"), std::string::npos);
}

TEST(DeviceConfig, IsNothingForADeviceThatIsNotProvisioned) {
  const base::TemporaryDirectory directory;
  const Layout layout(directory.path());
  layout.make();
  EXPECT_FALSE(load_device_config(layout));
  base::write_file_atomically(layout.device_file(), kDevice);
  EXPECT_EQ(load_device_config(layout).value().region, "eu");
}

}  // namespace
}  // namespace andon::edge
