// SPDX-License-Identifier: Apache-2.0
#include "api/console/console_files.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ConsoleFiles, TheBuiltConsoleIsThereAndLeadsToItsFiles) {
  const ConsoleFiles files(embedded_console());
  EXPECT_EQ(files.sources().size(), 64U);
  const auto page = files.find({.method = "GET", .path = "/console/"});
  ASSERT_TRUE(page);
  const std::string& html = std::get<std::string>(page->body);
  EXPECT_THAT(html, StartsWith("<!doctype html>"));
  EXPECT_EQ(page->headers.find("Cache-Control"), "no-cache");
  const std::size_t at = html.find("/console/assets/index-");
  ASSERT_NE(at, std::string::npos);
  const std::string script = html.substr(at, html.find('"', at) - at);
  const auto found = files.find({.method = "GET", .path = script});
  ASSERT_TRUE(found) << script;
  EXPECT_THAT(std::string(found->headers.find("Cache-Control").value_or("")),
              HasSubstr("immutable"));
}

TEST(ConsoleFiles, AreSentAsTheyLieToWhoTakesGzipAndUnpackedToOthers) {
  const ConsoleFiles files(embedded_console());
  const auto size = [&files](const char* accepted) {
    wire::HttpRequest request{.method = "GET", .path = "/console/index.html"};
    request.headers.set("Accept-Encoding", accepted);
    const auto found = files.find(request);
    const bool is_packed = found->headers.find("Content-Encoding").has_value();
    return std::pair(is_packed, std::get<std::string>(found->body).starts_with("\x1f\x8b"));
  };
  EXPECT_EQ(size("br, gzip;q=0.5"), std::pair(true, true));
  EXPECT_EQ(size("gzip;q=0"), std::pair(false, false));
  EXPECT_EQ(size("br"), std::pair(false, false));
}

TEST(ConsoleFiles, OnlyWholeNamesAreFound) {
  const ConsoleFiles files(embedded_console());
  for (const char* path : {"/console/../index.html", "/console/assets/", "/console/assets",
                           "/console//index.html", "/index.html", "/console/INDEX.html"}) {
    EXPECT_FALSE(files.find({.method = "GET", .path = path})) << path;
  }
}

TEST(ConsoleFiles, ADamagedArchiveIsRefusedWithWhatToDo) {
  const std::string whole(embedded_console());
  for (const std::string& damaged :
       {std::string("PK"), whole.substr(0, 100), whole.substr(0, whole.size() - 1), whole + "x"}) {
    try {
      const ConsoleFiles files{std::string_view(damaged)};
      FAIL() << damaged.size();
    } catch (const base::Error& error) {
      EXPECT_THAT(error.message(), HasSubstr("console"));
    }
  }
}

}  // namespace
}  // namespace andon::api
