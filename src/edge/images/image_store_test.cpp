// SPDX-License-Identifier: Apache-2.0
// Images that are brought and taken away, by a script that answers as an engine does; real ones are
// in tests/interop.
#include "edge/images/image_store.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "base/text/split.hpp"
#include "edge/state/deployment_failure.hpp"

namespace andon::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Names are files below $0.d, whose content is the image's id; what it is asked stands in log.
constexpr std::string_view kEngine = R"end(#!/bin/sh
d=$0.d
file() { echo "$d/images/$(echo "$1" | tr / %)"; }
case "$1 $2" in
"--version ") echo "Docker version 28.2.2, build e6534b4"; exit 0 ;;
esac
echo "$*" >>"$d/log"
case "$1 $2" in
"image inspect")
  if [ -e "$(file "$5")" ]; then cat "$(file "$5")"; exit; fi
  echo "Error: No such image: $5" >&2
  exit 1 ;;
"image rm")
  if [ -e "$d/in-use" ]; then echo "conflict: container x uses it" >&2; exit 1; fi
  rm "$(file "$3")" ;;
"tag "*) cp "$(file "$2")" "$(file "$3")" ;;
"pull "*)
  if [ -e "$d/script" ]; then . "$d/script"; fi
  echo "layer: Download complete"
  echo "${2#*@}" >"$(file "$2")" ;;
*) exit 64 ;;
esac
)end";

class ImageStoreTest : public testing::Test {
 protected:
  ImageStoreTest() {
    layout_.make();
    fs::create_directories(data() / "images");
    base::write_file_atomically(engine(), kEngine, 0755);
  }

  [[nodiscard]] fs::path engine() const { return directory_.path() / "docker"; }
  [[nodiscard]] fs::path data() const { return directory_.path() / "docker.d"; }
  // What a pull does before it succeeds.
  void script(const std::string& text) { base::write_file_atomically(data() / "script", text); }
  // All that the engine was asked for but questions.
  [[nodiscard]] std::vector<std::string> done() const {
    std::vector<std::string> lines;
    const auto text = base::read_file_if_exists(data() / "log").value_or("");
    for (const std::string_view line : base::split(text, '\n')) {
      if (!line.empty() && !line.starts_with("image inspect")) lines.emplace_back(line);
    }
    return lines;
  }
  [[nodiscard]] std::vector<std::string> images() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(data() / "images")) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  void have(const std::string& name, const std::string& id) {
    base::write_file_atomically(data() / "images" / name, id + "\n");
  }

  ImageStore store(std::chrono::milliseconds patience = std::chrono::milliseconds{0},
                   std::chrono::milliseconds pull = std::chrono::seconds{60}) {
    return ImageStore(layout_, {engine().string(), {}, patience, pull}, budget_);
  }
  static WantedImage wanted(const std::string& uri) {
    return {"com.example.Look", "1.0.0", recipe::parse_pinned_image_uri(uri), "", false};
  }
  // Its codes and its words.
  static std::pair<std::vector<std::string>, std::string> failure_of(
      const std::function<void()>& work) {
    try {
      work();
    } catch (const DeploymentFailure& failure) {
      return {failure.codes(), failure.message()};
    }
    return {{}, "nothing was thrown"};
  }

  const base::TemporaryDirectory directory_;
  Layout layout_{directory_.path() / "device"};
  LinkBudget budget_{LinkBudget::real_world(directory_.path() / "volume.json")};
  Cancellation cancellation_;
};

const std::string kA = "look@sha256:" + std::string(64, 'a');
const std::string kB = "look@sha256:" + std::string(64, 'b');
const std::string kIdA = "sha256:" + std::string(64, 'a');

TEST_F(ImageStoreTest, WhatIsThereIsNotPulledAndIsNeverRemoved) {
  have(kA, kIdA);
  EXPECT_EQ(store().bring({wanted("docker:" + kA)}, cancellation_), 0U);
  store().keep_only({});
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_THAT(images(), ElementsAre(kA));
}

TEST_F(ImageStoreTest, WhatItHasBroughtIsRemovedWhenNoComponentNeedsItAnyMore) {
  EXPECT_EQ(store().bring({wanted("docker:" + kA), wanted("docker:" + kB)}, cancellation_), 2U);
  EXPECT_EQ(store().bring({wanted("docker:" + kA)}, cancellation_), 0U);
  store().keep_only({wanted("docker:" + kA), wanted("docker:" + kB)});
  EXPECT_THAT(images(), ElementsAre(kA, kB));
  store().keep_only({wanted("docker:" + kB)});
  EXPECT_THAT(images(), ElementsAre(kB));
  store().keep_only({});
  EXPECT_THAT(images(), IsEmpty());
  EXPECT_THAT(done(), ElementsAre("pull " + kA, "pull " + kB, "image rm " + kA, "image rm " + kB));
}

TEST_F(ImageStoreTest, WhatACrashHasCutOffIsRemembered) {
  script("exit 1");
  failure_of([&] { store().bring({wanted("docker:" + kA)}, cancellation_); });
  have(kA, kIdA);  // the engine had it all the same
  store().keep_only({});
  EXPECT_THAT(images(), IsEmpty());
}

TEST_F(ImageStoreTest, OneThatAContainerUsesStaysUntilItIsFree) {
  store().bring({wanted("docker:" + kA)}, cancellation_);
  base::write_file_atomically(data() / "in-use", "");
  store().keep_only({});
  EXPECT_THAT(images(), ElementsAre(kA));
  fs::remove(data() / "in-use");
  store().keep_only({});
  EXPECT_THAT(images(), IsEmpty());
}

TEST_F(ImageStoreTest, TheTagOfAUriIsGivenAndTakenAwayAgain) {
  const auto look = wanted("docker:look:1@sha256:" + std::string(64, 'a'));
  store().bring({look}, cancellation_);
  EXPECT_THAT(images(), ElementsAre("look:1", kA));
  store().bring({look}, cancellation_);
  store().keep_only({});
  EXPECT_THAT(done(), ElementsAre("pull " + kA, "tag " + kA + " look:1", "image rm look:1",
                                  "image rm " + kA));
}

TEST_F(ImageStoreTest, ATagThatIsThereIsNeverMoved) {
  store().bring({wanted("docker:look:1@sha256:" + std::string(64, 'a'))}, cancellation_);
  const auto [codes, words] = failure_of([&] {
    store().bring({wanted("docker:look:1@sha256:" + std::string(64, 'b'))}, cancellation_);
  });
  EXPECT_THAT(codes,
              ElementsAre("ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", "DOCKER_IMAGE_NOT_VALID"));
  EXPECT_THAT(words, HasSubstr("look:1 is another image on this device already"));
  EXPECT_EQ(base::read_file(data() / "images" / "look:1"), kIdA + "\n");
}

TEST_F(ImageStoreTest, ATagThatSomebodyHasMovedIsLeftAlone) {
  store().bring({wanted("docker:look:1@sha256:" + std::string(64, 'a'))}, cancellation_);
  have("look:1", "sha256:of-somebody");
  store().keep_only({});
  EXPECT_THAT(images(), ElementsAre("look:1"));
}

TEST_F(ImageStoreTest, WhatTheEngineSaysOfAFailureIsNamedAsGreengrassNamesIt) {
  struct Case {
    std::string said;
    std::string code;
  };
  for (const Case& one : std::vector<Case>{
           {"manifest unknown: manifest unknown", "DOCKER_PULL_ERROR"},
           {"Manifest does not match provided manifest digest sha256:1", "DOCKER_IMAGE_NOT_VALID"},
           {"Digest did not match, expected sha256:1, got sha256:2", "DOCKER_IMAGE_NOT_VALID"},
           {"unauthorized: authentication required", "DOCKER_LOGIN_ERROR"},
           {"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
            "daemon running?",
            "DOCKER_SERVICE_UNAVAILABLE"},
           {"write /var/lib/x: no space left on device", "DISK_SPACE_CRITICAL"},
           {"dial tcp 127.0.0.1:1: connect: connection refused", "NETWORK_ERROR"},
           {"something that nobody has heard of", "DOCKER_PULL_ERROR"}}) {
    script("echo '" + one.said + "' >&2; exit 1");
    const auto [codes, words] =
        failure_of([&] { store().bring({wanted("docker:" + kA)}, cancellation_); });
    ASSERT_FALSE(codes.empty()) << words;
    EXPECT_EQ(codes.back(), one.code) << one.said;
    EXPECT_THAT(words, HasSubstr(one.said));
    EXPECT_THAT(words, HasSubstr("of component com.example.Look 1.0.0"));
  }
}

TEST_F(ImageStoreTest, ALoginThatAmazonsRegistryWantsIsNamed) {
  script("echo 'no basic auth credentials' >&2; exit 1");
  const auto [codes, words] = failure_of([&] {
    store().bring({wanted("docker:000000000000.dkr.ecr.eu-west-1.amazonaws.com/" + kA)},
                  cancellation_);
  });
  EXPECT_EQ(codes.back(), "GET_ECR_CREDENTIAL_ERROR");
  EXPECT_THAT(words, HasSubstr("gets no credentials of Amazon ECR"));
}

TEST_F(ImageStoreTest, ARegistryThatDoesNotAnswerIsAskedAgain) {
  script("[ -e \"$d/once\" ] || { : >\"$d/once\"; echo 'i/o timeout' >&2; exit 1; }");
  EXPECT_EQ(store(std::chrono::seconds{60}).bring({wanted("docker:" + kA)}, cancellation_), 1U);
  EXPECT_THAT(done(), ElementsAre("pull " + kA, "pull " + kA));
}

TEST_F(ImageStoreTest, AnImageWhoseNameIsAnErrorsWordIsNoError) {
  script("exit 1");
  const auto [codes, words] = failure_of(
      [&] { store().bring({wanted("docker:timeout/unauthorized/" + kA)}, cancellation_); });
  EXPECT_EQ(codes.back(), "DOCKER_PULL_ERROR") << words;
}

TEST_F(ImageStoreTest, APullThatDoesNotEndIsEnded) {
  script("exec sleep 1000");
  const auto [codes, words] = failure_of([&] {
    store(std::chrono::milliseconds{0}, std::chrono::milliseconds{50})
        .bring({wanted("docker:" + kA)}, cancellation_);
  });
  EXPECT_EQ(codes.back(), "DOCKER_PULL_ERROR");
  EXPECT_THAT(words, HasSubstr("pull " + kA + " had not ended after"));
}

TEST_F(ImageStoreTest, APullIsSeenAndCancelled) {
  script("echo 'layer: Pulling'; exec sleep 1000");
  ImageStore images = store();
  std::optional<base::ErrorCode> code;
  std::thread pulling([&] {
    try {
      images.bring({wanted("docker:" + kA)}, cancellation_);
    } catch (const base::Error& error) {
      code = error.code();
    }
  });
  while (!images.now_pulling().what.ends_with("layer: Pulling")) std::this_thread::yield();
  EXPECT_EQ(images.now_pulling().component, "com.example.Look");
  EXPECT_EQ(images.now_pulling().what, "pulling " + kA + ": layer: Pulling");
  cancellation_.cancel();
  pulling.join();
  EXPECT_EQ(code, base::ErrorCode::cancelled);
  EXPECT_EQ(images.now_pulling().component, "");
}

TEST_F(ImageStoreTest, ADeviceWithoutAnEngineSaysSo) {
  fs::remove(engine());
  const auto [codes, words] =
      failure_of([&] { store().check({wanted("docker:" + kA)}, cancellation_); });
  EXPECT_THAT(codes,
              ElementsAre("ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", "DOCKER_SERVICE_UNAVAILABLE"));
  EXPECT_THAT(words, HasSubstr("--container-engine"));
  EXPECT_NO_THROW(store().check({}, cancellation_));
}

TEST_F(ImageStoreTest, ARecordThatCannotBeReadLeavesTheImages) {
  store().bring({wanted("docker:" + kA)}, cancellation_);
  base::write_file_atomically(layout_.root() / "packages" / "images.json", "{\"images\": [7");
  store().keep_only({});
  EXPECT_THAT(images(), ElementsAre(kA));
}

TEST(WantedImages, AreThoseOfTheManifestThatFits) {
  InstalledComponent component;
  component.name = "com.example.Look";
  component.version = "1.0.0";
  const auto of = [&](const std::string& uri, const std::string& run) {
    component.recipe = recipe::ServedRecipe(
        R"({"RecipeFormatVersion":"2020-01-25","ComponentName":"com.example.Look",
            "ComponentVersion":"1.0.0","Manifests":[{"Platform":{"os":"linux"},
            "Artifacts":[{"Uri":")" +
        uri + R"("}],"Lifecycle":{"run":)" + run + "}}]}");
    return wanted_images(component, recipe::linux_platform("x86_64"));
  };
  const auto images = of("docker:" + kA, R"("docker run x")");
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0].image.by_digest(), kA);
  EXPECT_FALSE(images[0].has_privileged_step);
  EXPECT_TRUE(
      of("docker:" + kA, R"({"Script":"x","RequiresPrivilege":true})")[0].has_privileged_step);
  EXPECT_THAT(of("s3://a/b", R"("x")"), IsEmpty());
  try {
    of("docker:look:1", R"("x")");
    FAIL() << "an image without a digest was taken";
  } catch (const DeploymentFailure& failure) {
    EXPECT_THAT(failure.codes(),
                ElementsAre("ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ARTIFACT_URI_NOT_VALID"));
    EXPECT_THAT(failure.message(), HasSubstr("component com.example.Look 1.0.0"));
    EXPECT_THAT(failure.message(), HasSubstr("names no digest"));
  }
}

}  // namespace
}  // namespace andon::edge
