// SPDX-License-Identifier: Apache-2.0
#include "server/broker/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error/error.hpp"

namespace andon::server {
namespace {

using std::chrono::days;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const base::Timestamp kNow = base::parse_iso8601("2026-11-22T10:00:00Z").value();

class AuthorityOnDisk : public testing::Test {
 protected:
  [[nodiscard]] Authority open(const std::vector<std::string>& names = {},
                               base::Timestamp now = kNow) const {
    return {data_.path(), names, now};
  }
  static trust::CertificateInfo describe(const base::fs::path& file) {
    return trust::describe_certificate(base::read_file(file));
  }
  static unsigned mode(const base::fs::path& file) {
    struct stat status {};
    EXPECT_EQ(stat(file.c_str(), &status), 0);
    return status.st_mode & 0777U;
  }

  base::TemporaryDirectory data_;
};

TEST_F(AuthorityOnDisk, IsMadeOnceAndThenKept) {
  const Authority first = open();
  EXPECT_THAT(first.written(), SizeIs(8));
  EXPECT_EQ(describe(first.server_client().certificate).common_name, "andon-server");
  EXPECT_EQ(describe(first.operator_client().certificate).common_name, "andon-operator");
  EXPECT_EQ(first.operator_client().certificate, data_.path() / "credentials/operator.crt");
  for (const auto& file : first.written()) EXPECT_EQ(mode(file), 0600U) << file;
  EXPECT_EQ(mode(data_.path() / "ca"), 0700U);

  const Authority second = open();
  EXPECT_THAT(second.written(), IsEmpty());
  EXPECT_EQ(second.authority().private_key_pem, first.authority().private_key_pem);
}

TEST_F(AuthorityOnDisk, SignsForTheNamesOfTheServer) {
  const auto info = describe(open({"plant.example", "10.0.0.7", "localhost"}).server().certificate);
  EXPECT_THAT(info.dns_names, ElementsAre("localhost", "plant.example"));
  EXPECT_THAT(info.ip_addresses, ElementsAre("127.0.0.1", "::1", "10.0.0.7"));
}

TEST_F(AuthorityOnDisk, RenewsTheServersCertificateWhenItsNamesChange) {
  const Authority first = open({"old.example"});
  const Authority second = open({"new.example"});
  EXPECT_THAT(second.written(),
              ElementsAre(first.server().private_key, first.server().certificate));
  EXPECT_THAT(describe(second.server().certificate).dns_names, Contains("new.example"));
}

TEST_F(AuthorityOnDisk, RenewsCertificatesBeforeTheyExpireButKeepsTheAuthority) {
  const std::string ca = open().authority().certificate_pem;
  EXPECT_THAT(open({}, kNow + days{3500}).written(), IsEmpty());
  const Authority later = open({}, kNow + days{3600});
  EXPECT_THAT(later.written(), SizeIs(6));
  EXPECT_EQ(later.authority().certificate_pem, ca);
  EXPECT_TRUE(
      trust::is_signed_by(base::read_file(later.server().certificate), ca, kNow + days{4000}));
}

// A start that was cut short after any number of its writes is mended by the next.
TEST_F(AuthorityOnDisk, IsCompletedAfterACrashAtAnyMoment) {
  const std::vector<base::fs::path> order = open().written();
  for (std::size_t kept = 0; kept <= order.size(); ++kept) {
    const base::TemporaryDirectory fresh;
    const std::vector<base::fs::path> files = Authority(fresh.path(), {}, kNow).written();
    for (std::size_t i = kept; i < files.size(); ++i) base::fs::remove(files[i]);
    const Authority mended(fresh.path(), {}, kNow);
    EXPECT_THAT(Authority(fresh.path(), {}, kNow).written(), IsEmpty()) << kept;
    const std::string& ca = mended.authority().certificate_pem;
    for (const KeyPairFiles& pair :
         {mended.server(), mended.server_client(), mended.operator_client()}) {
      const std::string certificate = base::read_file(pair.certificate);
      EXPECT_TRUE(trust::is_key_of(base::read_file(pair.private_key), certificate));
      EXPECT_TRUE(trust::is_signed_by(certificate, ca, kNow));
    }
  }
}

// The moment between the new key and the new certificate of a renewal.
TEST_F(AuthorityOnDisk, MendsAKeyThatWasRenewedWithoutItsCertificate) {
  const Authority first = open();
  base::write_file_atomically(first.server().private_key, trust::make_private_key());
  const Authority second = open();
  EXPECT_THAT(second.written(), SizeIs(2));
  EXPECT_TRUE(trust::is_key_of(base::read_file(second.server().private_key),
                               base::read_file(second.server().certificate)));
}

TEST_F(AuthorityOnDisk, IsNeverReplacedWhereItsKeyIsGone) {
  const Authority first = open();
  base::fs::remove(data_.path() / "ca/ca.key");
  try {
    const Authority second = open();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted);
    EXPECT_THAT(error.message(), HasSubstr("ca.key' is missing"));
  }
  base::write_file_atomically(data_.path() / "ca/ca.key", trust::make_private_key());
  EXPECT_THROW((void)open(), base::Error);
}

}  // namespace
}  // namespace andon::server
