// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <set>

#include "api/testing/s3_fixture.hpp"

namespace andon::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> all_of(const std::string& text, const std::string& name) {
  std::vector<std::string> found;
  const std::string open = "<" + name + ">";
  for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at + 1)) {
    const std::size_t from = at + open.size();
    found.push_back(text.substr(from, text.find("</", from) - from));
  }
  return found;
}

TEST_F(S3Test, ListsUploadsInPagesByKeyAndId) {
  std::set<std::string> begun;
  for (const char* key : {"a", "b", "b", "b", "c%20d"}) {
    begun.insert(begin_upload("/parts/" + std::string(key)));
  }
  std::set<std::string> listed;
  std::string markers;
  for (int page = 0; page < 5; ++page) {
    const std::string text = get("/parts?uploads&max-uploads=2" + markers);
    EXPECT_THAT(text, HasSubstr("<MaxUploads>2</MaxUploads>"));
    for (const std::string& id : all_of(text, "UploadId")) EXPECT_TRUE(listed.insert(id).second);
    if (element_of(text, "IsTruncated") == "false") break;
    markers = "&key-marker=" + element_of(text, "NextKeyMarker") +
              "&upload-id-marker=" + element_of(text, "NextUploadIdMarker");
  }
  EXPECT_EQ(listed, begun);
  EXPECT_THAT(get("/parts?uploads&prefix=c&encoding-type=url"), HasSubstr("<Key>c%20d</Key>"));
  EXPECT_THAT(all_of(get("/parts?uploads&key-marker=b"), "Key"), ElementsAre("c d"));
  EXPECT_EQ(code_of(send({.target = "/parts?uploads&max-uploads=many"})), "InvalidArgument");
  EXPECT_EQ(code_of(send({.target = "/parts?uploads&encoding-type=other"})), "InvalidArgument");
}

TEST_F(S3Test, ListsUploadsUnderTheirCommonPrefixes) {
  for (const char* key : {"a/1", "a/2", "b", "c/1"}) begin_upload("/parts/" + std::string(key));
  const std::string first = get("/parts?uploads&delimiter=%2F&max-uploads=1");
  EXPECT_THAT(all_of(first, "CommonPrefixes"), ElementsAre("<Prefix>a/"));
  EXPECT_EQ(element_of(first, "NextKeyMarker"), "a/");
  const std::string second = get("/parts?uploads&delimiter=%2F&key-marker=a%2F");
  EXPECT_THAT(all_of(second, "Key"), ElementsAre("b"));
  EXPECT_THAT(all_of(second, "CommonPrefixes"), ElementsAre("<Prefix>c/"));
  EXPECT_THAT(all_of(get("/parts?uploads&delimiter=%2F&prefix=a%2F"), "Key"),
              ElementsAre("a/1", "a/2"));
}

TEST_F(S3Test, ListsPartsInPagesAndRefusesWhatIsNoNumber) {
  const std::string id = begin_upload("/parts/k");
  for (const char* number : {"1", "3", "7"}) {
    put("/parts/k?partNumber=" + std::string(number) + "&uploadId=" + id, "x");
  }
  const std::string first = get("/parts/k?max-parts=2&uploadId=" + id);
  EXPECT_THAT(all_of(first, "PartNumber"), ElementsAre("1", "3"));
  EXPECT_EQ(element_of(first, "NextPartNumberMarker"), "3");
  EXPECT_THAT(all_of(get("/parts/k?part-number-marker=3&uploadId=" + id), "PartNumber"),
              ElementsAre("7"));
  EXPECT_EQ(code_of(send({.target = "/parts/k?max-parts=-1&uploadId=" + id})), "InvalidArgument");
  EXPECT_EQ(code_of(send({.target = "/parts/k?part-number-marker=x&uploadId=" + id})),
            "InvalidArgument");
}

}  // namespace
}  // namespace andon::api
