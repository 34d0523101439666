// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/private_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "trust/keys/certificate.hpp"
#include "trust/keys/pkcs11_key.hpp"

namespace andon::trust {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PrivateKeys : public testing::Test {
 protected:
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    const base::fs::path path = directory_.path() / name;
    base::write_file_atomically(path, text, 0600);
    return path.string();
  }

  base::TemporaryDirectory directory_;
};

std::string refusal(ErrorCode code, const std::string& source) {
  try {
    (void)load_private_key(source);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    return error.message();
  }
  return "it was accepted";
}

TEST_F(PrivateKeys, OfAFileSignsAsItsTextDoes) {
  const std::string pem = make_private_key();
  const PrivateKey key = load_private_key(file("key", pem));
  const std::string csr = make_csr(key, "line-1");
  EXPECT_EQ(public_key_sha256_of_csr(csr), public_key_sha256_of_csr(make_csr(pem, "line-1")));
}

TEST_F(PrivateKeys, ThatAreNotThereOrNoKeysAreNamed) {
  EXPECT_THAT(refusal(ErrorCode::not_found, "/nowhere/key"), HasSubstr("/nowhere/key"));
  EXPECT_THAT(refusal(ErrorCode::invalid_argument, file("bad", "no key")), HasSubstr("PEM"));
}

TEST_F(PrivateKeys, OfTokensAreNamedByUris) {
  EXPECT_TRUE(is_key_uri("pkcs11:object=andon"));
  EXPECT_TRUE(is_key_uri("handle:0x81000001"));
  EXPECT_FALSE(is_key_uri("/etc/andon/pkcs11:key"));
  const Pkcs11Uri uri = read_pkcs11_uri(
      "pkcs11:token=line%201;object=andon;type=private;slot-id=1557929228"
      "?module-path=/usr/lib/x%2B.so&pin-source=file:/etc/andon/pin");
  EXPECT_EQ(uri.key, "pkcs11:token=line%201;object=andon;type=private;slot-id=1557929228");
  EXPECT_EQ(uri.token, "line 1");
  EXPECT_EQ(uri.object, "andon");
  EXPECT_EQ(uri.slot, 1557929228UL);
  EXPECT_EQ(uri.module_path, "/usr/lib/x+.so");
  EXPECT_EQ(uri.pin_file, "/etc/andon/pin");
  EXPECT_EQ(read_pkcs11_uri("pkcs11:id=%01?pin-value=a%26b").pin, "a&b");
  EXPECT_EQ(read_pkcs11_uri("pkcs11:id=%01").id, "\x01");
}

TEST_F(PrivateKeys, OfUrisThatCannotBeOneAreRefusedWithoutTheirPin) {
  const std::string long_pin(256, '7');
  const std::pair<std::string, std::string> cases[] = {
      {"pkcs11:token=line", "which key"},
      {"pkcs11:", "no part of a PKCS#11 URI"},
      {"pkcs11:object", "each with its value"},
      {"pkcs11:object=a;slot=3", "'slot=3'"},
      {"pkcs11:object=a;slot-id=one", "the number of a slot"},
      {"pkcs11:object=a;type=cert", "type=private"},
      {"pkcs11:object=", "'object='"},
      {"pkcs11:object=%zz", "'object=%zz'"},
      {"pkcs11:object=a?pin=7777", "pin-source="},
      {"pkcs11:object=a?module-path=x.so", "absolute"},
      {"pkcs11:object=a?pin-source=pin", "absolute"},
      {"pkcs11:object=a?pin-value=" + long_pin, "255"},
      {"pkcs11:object=" + std::string(2000, 'a'), "1024"},
      {"handle:81000001", "handle:0x81000001"},
      {"handle:0x", "persistent handle"},
      {"handle:0x8100000g", "persistent handle"},
  };
  for (const auto& [source, words] : cases) {
    EXPECT_THAT(refusal(ErrorCode::invalid_argument, source),
                AllOf(HasSubstr(words), Not(HasSubstr("777"))))
        << source;
  }
  EXPECT_THAT(refusal(ErrorCode::not_found, "pkcs11:object=a?pin-source=/nowhere/pin"),
              HasSubstr("/nowhere/pin"));
}

}  // namespace
}  // namespace andon::trust
