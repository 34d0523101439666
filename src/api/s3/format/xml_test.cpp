// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/xml.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

TEST(XmlWriter, EscapesTextAndClosesWhatIsOpen) {
  XmlWriter xml("ListBucketResult");
  xml.text("Key", "a<b>&\"c\x01").open("Owner").number("Size", 7).boolean("Cut", false);
  EXPECT_EQ(xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Key>a&lt;b&gt;&amp;&quot;c&#1;</Key><Owner><Size>7</Size><Cut>false</Cut></Owner>"
            "</ListBucketResult>");
}

TEST(ParseXml, ReadsWhatClientsSend) {
  const XmlElement root = parse_xml(
      "<?xml version=\"1.0\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
      "  <Object><Key>a &amp; b&#x20AC;&#65;</Key></Object><s3:Object a='1' b = \"2\" >"
      "<Key>&lt;</Key></s3:Object ><Quiet/></Delete>\n");
  EXPECT_EQ(root.name, "Delete");
  ASSERT_EQ(root.children.size(), 3U);
  EXPECT_EQ(root.children[0].child_text("Key"),
            "a & b\xe2\x82\xac"
            "A");
  EXPECT_EQ(root.children[1].name, "Object");
  EXPECT_EQ(root.child_text("Quiet"), "");
  EXPECT_EQ(root.child("None"), nullptr);
}

TEST(ParseXml, RefusesWhatIsMalformedOrCouldExpand) {
  for (const char* text : {"",
                           "text",
                           "<a>",
                           "<a></b>",
                           "<a></a><b/>",
                           "<a",
                           "<a b></a>",
                           "<a b=1/>",
                           "<a b='x/>",
                           "<a b='<'/>",
                           "<ab='c'/ >",
                           "<a>&none;</a>",
                           "<a>&#0;</a>",
                           "<a>&#xd800;</a>",
                           "<a>&#;</a>",
                           "<a>&",
                           "<a>&#x;</a>",
                           "<a>&#1114112;</a>",
                           "<!DOCTYPE a><a/>",
                           "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
                           "<a><!-- c --></a>",
                           "<a><![CDATA[b]]></a>",
                           "<?xml",
                           "<1/>",
                           "<a>\xff</a>",
                           "<a>\xed\xa0\x80</a>",
                           "<a/>x"}) {
    EXPECT_THROW((void)parse_xml(text), base::Error) << text;
  }
}

TEST(ParseXml, HasLimits) {
  EXPECT_NO_THROW((void)parse_xml("<a><b><c/></b></a>", {.max_depth = 3}));
  EXPECT_THROW((void)parse_xml("<a><b><c/></b></a>", {.max_depth = 2}), base::Error);
  EXPECT_THROW((void)parse_xml("<a><b/><b/></a>", {.max_elements = 2}), base::Error);
}

}  // namespace
}  // namespace andon::api
