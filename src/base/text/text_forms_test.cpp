// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "base/time/http_date.hpp"

namespace andon::base {
namespace {

TEST(Base64, RoundTripsAndRefusesWhatIsNot) {
  // RFC 4648 section 10.
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(plain), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
  for (const char* wrong : {"Zg", "Zg=", "Z===", "Zh==", "Z!==", "====", "Zm9v\n"}) {
    EXPECT_EQ(from_base64(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(to_base64url("\xff\xfe"), "__4");
  EXPECT_EQ(from_base64url("__4"), "\xff\xfe");
}

TEST(Hex, RoundTrips) {
  EXPECT_EQ(to_hex(as_bytes("\x01\xab")), "01ab");
  EXPECT_EQ(from_hex("01AB"), "\x01\xab");
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
  EXPECT_TRUE(is_hex_of("01ab", 2));
  for (const char* wrong : {"", "01", "01AB", "01ag", "01abc"}) EXPECT_FALSE(is_hex_of(wrong, 2));
}

TEST(PercentEncoding, EscapesAllButUnreserved) {
  EXPECT_EQ(percent_encode("a b/ü~"), "a%20b%2F%C3%BC~");
  EXPECT_EQ(percent_encode("a/b", Slash::keep), "a/b");
  EXPECT_EQ(percent_decode("a%20b%2f"), "a b/");
  EXPECT_EQ(percent_decode("%2"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
}

TEST(Time, IsWrittenAndReadInItsForms) {
  const Timestamp time = from_epoch_millis(1795341600123);
  EXPECT_EQ(to_iso8601(time), "2026-11-22T10:00:00.123Z");
  EXPECT_EQ(to_amz_date(time), "20261122T100000Z");
  EXPECT_EQ(to_http_date(time), "Sun, 22 Nov 2026 10:00:00 GMT");
  EXPECT_EQ(parse_iso8601("2026-11-22T10:00:00.123Z"), time);
  EXPECT_EQ(parse_iso8601("2026-11-22T10:00:00.1239Z"), time);
  EXPECT_EQ(parse_iso8601("20261122T100000Z"), time - std::chrono::milliseconds{123});
  EXPECT_EQ(parse_http_date("Sun, 22 Nov 2026 10:00:00 GMT"),
            time - std::chrono::milliseconds{123});
  for (const char* wrong : {"", "Sun, 22 Nov 2026 10:00:00", "2026-11-22T10:00:00.123Z"}) {
    EXPECT_EQ(parse_http_date(wrong), std::nullopt) << wrong;
  }
  for (const char* wrong : {"", "2026-13-01T00:00:00Z", "2026-11-22", "2026-11-22T10:00:00",
                            "2026-11-22T10:00:00.Z", "2026-11-22T24:00:00Z", "20261122T1000Z"}) {
    EXPECT_EQ(parse_iso8601(wrong), std::nullopt) << wrong;
  }
}

TEST(RandomIds, HaveTheirShape) {
  const std::string id = random_uuid();
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_EQ(id[8], '-');
  EXPECT_NE(id, random_uuid());
  EXPECT_EQ(random_text(20, "a"), std::string(20, 'a'));
}

}  // namespace
}  // namespace andon::base
