// SPDX-License-Identifier: Apache-2.0
#include "wire/http/url.hpp"

#include <gtest/gtest.h>

namespace andon::wire {
namespace {

TEST(UrlTest, IsReadInParts) {
  const auto url = read_url("HTTPS://Api.Example.com:8443/v1/a%20b?x=1&y=2");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "api.example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/v1/a%20b");
  EXPECT_EQ(url->query, "x=1&y=2");
  EXPECT_EQ(read_url("http://h")->port, 80);
  EXPECT_EQ(read_url("https://h")->port, 443);
  EXPECT_EQ(read_url("https://h")->path, "/");
  EXPECT_EQ(read_url("http://[::1]:81/")->host, "[::1]");
}

TEST(UrlTest, WhatAHostCheckCouldBeFooledWithIsRefused) {
  for (const char* bad : {"", "h", "//h/", "ftp://h/", "file:///etc/passwd", "https://",
                          "https:///x", "https://good@evil/", "https://u:p@h/", "https://h/#x",
                          "https://h\\@evil/", "https://h /", "https://h\r\nX: y/", "https://h:0/",
                          "https://h:70000/", "https://h:x/", "https://h\xC3\xA9/"}) {
    EXPECT_FALSE(read_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace andon::wire
