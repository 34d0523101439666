// SPDX-License-Identifier: Apache-2.0
#include "recipe/image/image_reference.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::recipe {
namespace {

using testing::HasSubstr;

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string problem_of(const std::string& uri) {
  try {
    static_cast<void>(parse_pinned_image_uri(uri));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument) << uri;
    return error.message();
  }
  return "";
}

TEST(ImageReference, IsReadAsDockerReadsIt) {
  struct Case {
    std::string uri;
    std::string name;
    std::string tag;
    std::string digest;
  };
  for (const Case& one :
       std::vector<Case>{{"docker:redis", "redis", "", ""},
                         {"docker:redis:7", "redis", "7", ""},
                         {"docker:redis@" + kDigest, "redis", "", kDigest},
                         {"docker:plant/look:1.4_a-b@" + kDigest, "plant/look", "1.4_a-b", kDigest},
                         {"docker:localhost/look", "localhost/look", "", ""},
                         {"docker:127.0.0.1:5000/look", "127.0.0.1:5000/look", "", ""},
                         {"docker:registry.plant:5000/a/b__c.d---e:7",
                          "registry.plant:5000/a/b__c.d---e", "7", ""},
                         {"docker:[fd00::1]:5000/look:1", "[fd00::1]:5000/look", "1", ""},
                         {"docker:123456789012.dkr.ecr.eu-central-1.amazonaws.com/line:V2",
                          "123456789012.dkr.ecr.eu-central-1.amazonaws.com/line", "V2", ""}}) {
    const ImageReference image = parse_image_uri(one.uri);
    EXPECT_EQ(image.name, one.name) << one.uri;
    EXPECT_EQ(image.tag, one.tag) << one.uri;
    EXPECT_EQ(image.digest, one.digest) << one.uri;
  }
}

TEST(ImageReference, WhatIsNoneIsRefusedWithWhatIsWrong) {
  for (const auto& [uri, problem] : std::vector<std::pair<std::string, std::string>>{
           {"redis", "must begin with docker:"},
           {"docker:", "has no name"},
           {"docker:@" + kDigest, "has no name"},
           {"docker:--privileged", "has no name that registries know"},
           {"docker:-v/:/host", "has no name that registries know"},
           {"docker:Redis:7", "has no name that registries know"},
           {"docker:a//b", "has no name that registries know"},
           {"docker:a/../b", "has no name that registries know"},
           {"docker:a b", "has no name that registries know"},
           {"docker:a___b", "has no name that registries know"},
           {"docker:redis/", "has no name that registries know"},
           {"docker://redis", "has no name that registries know"},
           {"docker:a\n@" + kDigest, "has no name that registries know"},
           {"docker:-x.plant/a", "names a registry"},
           {"docker:x.plant:0/a", "names a registry"},
           {"docker:x.plant:70000/a", "names a registry"},
           {"docker:[::1/a", "names a registry"},
           {"docker:redis:", "has a tag that is none"},
           {"docker:redis:-rf", "has a tag that is none"},
           {"docker:redis:a b", "has a tag that is none"},
           {"docker:redis:" + std::string(129, 'a'), "has a tag that is none"},
           {"docker:redis@sha256:12", "has a digest"},
           {"docker:redis@sha512:" + std::string(128, 'a'), "has a digest"},
           {"docker:redis@sha256:" + std::string(64, 'A'), "has a digest"},
           {"docker:redis@" + kDigest + "@" + kDigest, "has a digest"},
           {"docker:" + std::string(256, 'a'), "more than 255"}}) {
    EXPECT_THAT(problem_of(uri), HasSubstr(problem)) << uri;
  }
}

TEST(ImageReference, OneThatCannotBeVerifiedIsRefusedWithWhatToWrite) {
  EXPECT_EQ(problem_of("docker:redis@" + kDigest), "");
  EXPECT_EQ(problem_of("docker:redis:7@" + kDigest), "");
  EXPECT_THAT(
      problem_of("docker:redis:7"),
      testing::AllOf(HasSubstr("names no digest"), HasSubstr("docker:redis:7@sha256:DIGEST"),
                     HasSubstr("docker://docker.io/library/redis:7 tells")));
  EXPECT_THAT(problem_of("docker:registry.plant/look"),
              HasSubstr("docker://registry.plant/look:latest tells"));
}

TEST(ImageReference, ANameWithoutARegistryIsOfDockersOwn) {
  EXPECT_EQ(full_image_name("redis"), "docker.io/library/redis");
  EXPECT_EQ(full_image_name("plant/look"), "docker.io/plant/look");
  EXPECT_EQ(full_image_name("localhost/look"), "localhost/look");
  EXPECT_EQ(full_image_name("registry.plant:5000/look"), "registry.plant:5000/look");
  EXPECT_EQ(registry_of("plant/look"), "docker.io");
  EXPECT_EQ(registry_of("registry.plant:5000/look"), "registry.plant:5000");
}

}  // namespace
}  // namespace andon::recipe
