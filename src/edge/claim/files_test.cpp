// SPDX-License-Identifier: Apache-2.0
#include "edge/claim/files.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/error/error.hpp"
#include "base/time/time.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::edge {
namespace {

using testing::HasSubstr;

constexpr std::string_view kClassic = R"(---
system:
  certificateFilePath: "/gg/device.crt"
  privateKeyPath: "file:///gg/device.key"
  rootCaPath: "/gg/ca.pem"
  rootpath: "/greengrass/v2"
  thingName: "line-1"
services:
  aws.greengrass.Nucleus:
    componentType: "NUCLEUS"
    configuration:
      awsRegion: "eu-central-1"
      iotRoleAlias: "LineAlias"
      iotDataEndpoint: "plant.example"
      iotCredEndpoint: "other.example:9443"
      mqtt: {port: 443}
)";

std::string refusal_of(std::string_view text) {
  try {
    static_cast<void>(parse_greengrass_config(text, "config.yaml"));
  } catch (const base::Error& error) {
    return error.message();
  }
  return "it was taken";
}

TEST(GreengrassConfig, NamesFilesAndPlacesOfAClassicNucleus) {
  const DeviceFiles files = parse_greengrass_config(kClassic, "config.yaml");
  EXPECT_EQ(files.certificate, "/gg/device.crt");
  EXPECT_EQ(files.private_key, "/gg/device.key");
  EXPECT_EQ(files.ca, "/gg/ca.pem");
  EXPECT_EQ(files.thing_name, "line-1");
  EXPECT_EQ(files.mqtt, (fleet::Endpoint{"plant.example", 443}));
  EXPECT_EQ(files.data_plane, (fleet::Endpoint{"other.example", 9443}));
  EXPECT_EQ(files.region, "eu-central-1");
  EXPECT_EQ(files.role_alias, "LineAlias");
}

TEST(GreengrassConfig, OfALiteNucleusHasItsPortAsATextAndItsDataPlaneWithTheBroker) {
  const DeviceFiles files = parse_greengrass_config(
      R"({"system":{"certificateFilePath":"c","privateKeyPath":"k","rootCaPath":"a",
                    "rootPath":"/","thingName":"t"},
          "services":{"aws.greengrass.NucleusLite":{"configuration":{
            "iotDataEndpoint":"[::1]","greengrassDataPlanePort":"443",
            "greengrassDataPlaneEndpoint":"iotdata"}}}})",
      "config.yaml");
  EXPECT_EQ(files.mqtt, (fleet::Endpoint{"::1", 8883}));
  EXPECT_EQ(files.data_plane.port, 443);
  EXPECT_EQ(files.role_alias, "");
}

TEST(GreengrassConfig, WhatIsMissingOrMalformedIsNamed) {
  EXPECT_THAT(refusal_of("a: ["), HasSubstr("config.yaml"));
  EXPECT_THAT(refusal_of("{}"), HasSubstr("system"));
  for (const std::string key :
       {"certificateFilePath", "privateKeyPath", "rootCaPath", "thingName", "iotDataEndpoint"}) {
    std::string text(kClassic);
    const std::size_t at = text.find(key);
    text.erase(text.rfind('\n', at), text.find('\n', at) - text.rfind('\n', at));
    EXPECT_THAT(refusal_of(text), HasSubstr(key));
  }
  std::string text(kClassic);
  text.replace(text.find("port: 443"), 9, "port: 99999");
  EXPECT_THAT(refusal_of(text), HasSubstr("port"));
}

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    const auto now = base::SystemClock().now();
    const auto authority = trust::make_certificate_authority("CA", now, std::chrono::days{2});
    put("ca.pem", authority.certificate_pem);
    const std::string key = trust::make_private_key();
    put("device.key", key);
    put("other.key", trust::make_private_key());
    put("device.crt", trust::sign_csr(authority, trust::make_csr(key, "any"),
                                      {.common_name = "any", .not_before = now}));
    put("over.crt", trust::sign_csr(authority, trust::make_csr(key, "any"),
                                    {.common_name = "any",
                                     .not_before = now - std::chrono::hours{480},
                                     .lifetime = std::chrono::days{1}}));
  }
  void put(const std::string& name, const std::string& text) const {
    base::write_file_atomically(directory_.path() / name, text);
  }
  [[nodiscard]] DeviceFiles files() const {
    return {.certificate = directory_.path() / "device.crt",
            .private_key = (directory_.path() / "device.key").string(),
            .ca = directory_.path() / "ca.pem",
            .thing_name = "line-1",
            .mqtt = {"plant.example", 8883},
            .data_plane = {"plant.example", 8443},
            .region = "eu-central-1",
            .role_alias = "LineAlias"};
  }
  [[nodiscard]] std::string refusal(const DeviceFiles& files) const {
    try {
      static_cast<void>(provision_by_files(layout_, files));
    } catch (const base::Error& error) {
      return error.message();
    }
    return "it was taken";
  }

  base::TemporaryDirectory directory_;
  Layout layout_{directory_.path() / "root"};
};

TEST_F(FilesTest, ADeviceIsProvisionedByCopiesOfItsFiles) {
  static_cast<void>(provision_by_files(layout_, files()));
  const auto device = load_device_config(layout_);
  ASSERT_TRUE(device);
  EXPECT_EQ(device->thing_name, "line-1");
  EXPECT_EQ(device->role_alias, "LineAlias");
  EXPECT_EQ(device->mqtt, (fleet::Endpoint{"plant.example", 8883}));
  EXPECT_EQ(private_key_of(*device, layout_), private_key_file(layout_).string());
  EXPECT_EQ(base::read_file(private_key_file(layout_)),
            base::read_file(directory_.path() / "device.key"));
  struct stat status {};
  ASSERT_EQ(stat(private_key_file(layout_).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(refusal(files()), "it was taken") << "the same again";
}

TEST_F(FilesTest, WhatDoesNotBelongTogetherIsRefusedByNameAndChangesNothing) {
  DeviceFiles wrong = files();
  wrong.private_key = (directory_.path() / "other.key").string();
  EXPECT_THAT(refusal(wrong), HasSubstr("does not belong to the key"));
  wrong = files();
  wrong.certificate = directory_.path() / "over.crt";
  EXPECT_THAT(refusal(wrong), HasSubstr("it is over"));
  wrong = files();
  wrong.ca = directory_.path() / "device.key";
  EXPECT_THAT(refusal(wrong), HasSubstr("the CA "));
  wrong = files();
  wrong.certificate = directory_.path() / "nowhere.crt";
  EXPECT_THAT(refusal(wrong), HasSubstr("nowhere.crt"));
  wrong = files();
  wrong.thing_name = "a/b";
  EXPECT_THAT(refusal(wrong), HasSubstr("thing's name"));
  EXPECT_FALSE(load_device_config(layout_));
}

TEST_F(FilesTest, AnotherDeviceOrServerNeedsAnotherDirectory) {
  static_cast<void>(provision_by_files(layout_, files()));
  DeviceFiles other = files();
  other.thing_name = "line-2";
  EXPECT_THAT(refusal(other), HasSubstr("already 'line-1'"));
  other = files();
  other.data_plane.host = "elsewhere";
  EXPECT_THAT(refusal(other), HasSubstr("already 'line-1'"));
}

}  // namespace
}  // namespace andon::edge
