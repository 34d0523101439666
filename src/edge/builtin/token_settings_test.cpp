// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/token_settings.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::edge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

base::json::object configuration(std::string_view text) {
  return base::parse_json(text, "configuration").as_object();
}

std::string with_provider(const std::string& system, const std::string& provider) {
  return "system:\n" + system +
         "  rootpath: \"/greengrass/v2\"\n  thingName: \"line-1\"\nservices:\n"
         "  aws.greengrass.Nucleus:\n    componentType: \"NUCLEUS\"\n    version: \"2.14.0\"\n"
         "    configuration: {awsRegion: \"eu-central-1\", mqtt: {port: 443}}\n" +
         provider;
}

constexpr auto* kOnToken =
    "  certificateFilePath: \"pkcs11:object=iotdevicekey;type=cert\"\n"
    "  privateKeyPath: \"pkcs11:object=iotdevicekey;type=private\"\n";
constexpr auto* kProvider =
    "  aws.greengrass.crypto.Pkcs11Provider:\n    configuration:\n"
    "      name: \"softhsm_pkcs11\"\n      library: \"/usr/lib/soft hsm/x.so\"\n      slot: 1\n"
    "      userPin: \"0481516\"\n";

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(read_greengrass_key(text, "/pin"));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message();
  }
  return "it was accepted";
}

TEST(TokenSettings, OfANucleusConfigYamlSayWhereItsKeyIs) {
  const GreengrassKey key = read_greengrass_key(with_provider(kOnToken, kProvider), "/root/pin");
  EXPECT_EQ(key.source,
            "pkcs11:object=iotdevicekey;type=private;slot-id=1"
            "?module-path=/usr/lib/soft%20hsm/x.so&pin-source=/root/pin");
  EXPECT_EQ(key.pin, "0481516");
  EXPECT_TRUE(key.has_certificate_on_token);
}

TEST(TokenSettings, OfANucleusWhoseKeyIsAFileNameThatFile) {
  for (const auto* path : {"/greengrass/v2/privKey.key", "file:///greengrass/v2/privKey.key"}) {
    const GreengrassKey key = read_greengrass_key(
        with_provider(std::string("  privateKeyPath: \"") + path + "\"\n", ""), "/root/pin");
    EXPECT_EQ(key.source, "/greengrass/v2/privKey.key");
    EXPECT_EQ(key.pin, "");
    EXPECT_FALSE(key.has_certificate_on_token);
  }
}

TEST(TokenSettings, ThatCannotBeUsedAreRefusedByNameAndWithoutThePin) {
  const std::string provider = "  aws.greengrass.crypto.Pkcs11Provider:\n    configuration:\n";
  const std::pair<std::string, const char*> cases[] = {
      {"services: {}\n", "'system'"},
      {"system: {}\n", "privateKeyPath"},
      {with_provider("  privateKeyPath: \"key.pem\"\n", ""), "absolute path"},
      {with_provider(kOnToken, ""), "aws.greengrass.crypto.Pkcs11Provider"},
      {with_provider(kOnToken, provider + "      slot: 1\n"), "library is missing"},
      {with_provider(kOnToken, provider + "      library: x.so\n"), "absolute path"},
      {with_provider(kOnToken, provider + "      library: /x.so\n      slot: one\n"), "slot must"},
      {with_provider(kOnToken, provider + "      library: /x.so\n      slot: -1\n"), "slot must"},
      {with_provider(kOnToken, provider + "      library: /x.so\n      userPin: 0777\n"), "quotes"},
      {with_provider("  privateKeyPath: \"pkcs11:type=private\"\n", kProvider), "which key"},
      {with_provider("  privateKeyPath: \"pkcs11:object=a;type=cert\"\n", kProvider),
       "type=private"},
      {"[", "Greengrass' configuration"},
  };
  for (const auto& [text, words] : cases) {
    EXPECT_THAT(refusal(text),
                AllOf(HasSubstr(words), Not(HasSubstr("777")), Not(HasSubstr("0481516"))))
        << text;
  }
}

TEST(TokenSettings, OfADeploymentThatAreNotThoseOfTheDeviceAreNamed) {
  const std::string key = "pkcs11:object=a;slot-id=3?module-path=/x.so&pin-source=/pin";
  EXPECT_EQ(how_token_differs(key, {}), "");
  EXPECT_EQ(how_token_differs(key, configuration(R"({"name":"n","library":"/x.so","slot":3})")),
            "");
  EXPECT_EQ(how_token_differs(key, configuration(R"({"library":"/x.so","slot":"3"})")), "");
  EXPECT_THAT(how_token_differs(key, configuration(R"({"library":"/y.so","slot":4})")),
              AllOf(HasSubstr("library /y.so"), HasSubstr("slot 4"), HasSubstr("provision")));
  EXPECT_THAT(how_token_differs("/root/config/device.key",
                                configuration(R"({"library":"/x.so","slot":3})")),
              HasSubstr("no PKCS#11 token"));
  EXPECT_THAT(how_token_differs(key, configuration(R"({"library":7})")), HasSubstr("library"));
  // A slot of a token that is named by its label is as good as any other.
  EXPECT_EQ(how_token_differs("pkcs11:object=a;token=line?module-path=/x.so",
                              configuration(R"({"library":"/x.so","slot":4})")),
            "");
}

}  // namespace
}  // namespace andon::edge
