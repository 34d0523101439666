// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/cbor.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::edge {
namespace {

std::string bytes(std::string_view hex) {
  return base::from_hex(hex).value();
}

TEST(Cbor, ReadsWhatClientsSend) {
  const std::string append =
      bytes("a3697265717565737449646120646e616d656173677061796c6f6164426869");
  const CborDocument document(append);
  EXPECT_EQ(document.root().find("requestId")->text, " ");
  EXPECT_EQ(document.root().find("name")->text, "s");
  EXPECT_EQ(document.root().find("payload")->kind, CborValue::Kind::bytes);
  EXPECT_EQ(document.root().find("payload")->text, "hi");
}

TEST(Cbor, ReadsMapsArraysAndStringsOfIndefiniteLength) {
  // {_ "a": [_ 1, -2], "b": (_ "x", "yz"), "c": null}
  const std::string message = bytes("bf61619f0121ff61627f617862797aff6163f6ff");
  const CborDocument document(message);
  ASSERT_EQ(document.root().find("a")->items.size(), 2U);
  EXPECT_EQ(document.root().find("a")->items[1].integer, -2);
  EXPECT_EQ(document.root().find("b")->text, "xyz");
  EXPECT_EQ(document.root().find("c"), nullptr);
}

TEST(Cbor, TakesFloatsThatAreWholeNumbersForIntegers) {
  const std::string whole = bytes("fb41d0000000000000");  // 2^30
  EXPECT_EQ(CborDocument(whole).root().integer, 1LL << 30);
  const std::string half = bytes("fb3fe0000000000000");
  EXPECT_EQ(CborDocument(half).root().kind, CborValue::Kind::other);
  const std::string huge = bytes("fb43e0000000000000");  // 2^63
  EXPECT_EQ(CborDocument(huge).root().kind, CborValue::Kind::other);
}

TEST(Cbor, RefusesWhatIsMalformedDeepOrLong) {
  for (const char* const hex : {"",                    // nothing
                                "a1",                  // cut off
                                "1c",                  // no such length
                                "1bffffffffffffffff",  // more than 63 bits
                                "1f",                  // an integer of indefinite length
                                "61ff",                // not UTF-8
                                "a10102",              // a key that is no text
                                "c001",                // a tag
                                "0101",                // bytes behind it
                                "ff",                  // an end of nothing
                                "7f4161ff",            // a chunk of another kind
                                "9b7fffffffffffffff01", "818181818181818181818101"}) {
    const std::string message = bytes(hex);
    EXPECT_THROW(CborDocument{message}, base::Error) << hex;
  }
  std::string many = bytes("9f");
  many.append(5000, '\1').append(1, '\xff');
  EXPECT_THROW(CborDocument{many}, base::Error);
}

TEST(Cbor, WritesShortestHeads) {
  CborWriter writer;
  writer.map(2).text("a").integer(255).text("b").array(3);
  writer.integer(-1).boolean(true).bytes("hi");
  EXPECT_EQ(base::to_hex(base::as_bytes(writer.result())), "a2616118ff61628320f5426869");
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{23}, std::int64_t{24}, std::int64_t{65536}, INT64_MAX,
        INT64_MIN, std::int64_t{-25}, std::int64_t{1} << 40}) {
    const std::string text = CborWriter().integer(number).result();
    EXPECT_EQ(CborDocument(text).root().integer, number);
  }
}

}  // namespace
}  // namespace andon::edge
