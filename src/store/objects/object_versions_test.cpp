// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <set>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "store/objects/lifecycle.hpp"
#include "store/objects/named_blobs.hpp"
#include "store/objects/object_store.hpp"
#include "trust/digests/digest.hpp"

namespace andon::store {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;

class ObjectVersionsTest : public testing::Test {
 protected:
  void SetUp() override { objects.create_bucket("parts"); }

  static ByteSource from_text(std::string text) {
    return [text = std::move(text), at = std::size_t{0}](char* buffer, std::size_t size) mutable {
      const std::size_t count = text.copy(buffer, size, at);
      at += count;
      return count;
    };
  }
  std::string put(const std::string& key, const std::string& content, PutOptions options = {}) {
    return objects.put("parts", key, from_text(content), options).version_id;
  }
  std::string content_of(const std::string& key, const std::string& version = {}) {
    const auto object = objects.open("parts", key, version);
    if (!object) return "(absent)";
    return base::read_file("/proc/self/fd/" + std::to_string(object->file.get()));
  }
  std::size_t blobs_on_disk() {
    std::size_t count = 0;
    for (const auto& entry : base::fs::recursive_directory_iterator(directory.path() / "objects")) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }
  // "k=content*" for the latest, "k!" for a marker; newest first.
  std::vector<std::string> versions(const VersionListRequest& request) {
    std::vector<std::string> found;
    for (const ObjectVersion& version : objects.list_versions(request).versions) {
      const ObjectInfo& object = version.object;
      found.push_back(object.key +
                      (version.is_marker ? "!" : "=" + content_of(object.key, object.version_id)) +
                      (version.is_latest ? "*" : ""));
    }
    return found;
  }
  std::vector<std::string> versions() { return versions({.bucket = "parts"}); }
  void enable() { objects.set_versioning("parts", Versioning::enabled); }
  void suspend() { objects.set_versioning("parts", Versioning::suspended); }
  void set_rules(const std::vector<LifecycleRule>& rules) {
    objects.set_bucket_setting("parts", BucketSetting::lifecycle, lifecycle_to_text(rules));
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<Database> database = open_sqlite(directory.path() / "andon.db");
  ObjectStore objects{*database, directory.path() / "objects", clock};
};

TEST_F(ObjectVersionsTest, ABucketWithoutVersionsKeepsNothing) {
  EXPECT_EQ(objects.versioning("parts"), Versioning::never);
  EXPECT_EQ(put("k", "1"), "");
  EXPECT_EQ(put("k", "2"), "");
  EXPECT_EQ(content_of("k", "null"), "2");
  EXPECT_EQ(content_of("k", "other"), "(absent)");
  EXPECT_THAT(versions(), ElementsAre("k=2*"));
  EXPECT_EQ(blobs_on_disk(), 1U);
  EXPECT_THROW(objects.set_versioning("parts", Versioning::never), base::Error);
}

TEST_F(ObjectVersionsTest, EachWriteIsAVersionAndADeletionAMarker) {
  put("k", "0");
  enable();
  const std::string first = put("k", "1");
  const std::string second = put("k", "2");
  EXPECT_NE(first, second);
  EXPECT_THAT(versions(), ElementsAre("k=2*", "k=1", "k=0"));
  EXPECT_EQ(content_of("k", first), "1");
  EXPECT_EQ(content_of("k", "null"), "0");
  const Removal removal = objects.remove("parts", "k");
  EXPECT_TRUE(removal.is_marker);
  EXPECT_EQ(content_of("k"), "(absent)");
  EXPECT_EQ(content_of("k", removal.version_id), "(absent)");
  EXPECT_THAT(objects.list({.bucket = "parts"}).objects, IsEmpty());
  EXPECT_THAT(versions(), ElementsAre("k!*", "k=2", "k=1", "k=0"));
  const auto latest = objects.find_version("parts", "k");
  ASSERT_TRUE(latest);
  EXPECT_TRUE(latest->is_marker);
  EXPECT_EQ(blobs_on_disk(), 3U);
  EXPECT_THROW(objects.delete_bucket("parts"), base::Error);

  // The marker goes: what was below it is the latest again.
  EXPECT_TRUE(objects.remove_version("parts", "k", removal.version_id).is_marker);
  EXPECT_EQ(content_of("k"), "2");
  EXPECT_FALSE(objects.remove_version("parts", "k", second).is_marker);
  EXPECT_EQ(content_of("k"), "1");
  objects.remove_version("parts", "k", "null");
  EXPECT_THAT(versions(), ElementsAre("k=1*"));
  EXPECT_EQ(objects.remove_version("parts", "k", "never-there").version_id, "never-there");
  objects.remove_version("parts", "k", first);
  EXPECT_THAT(versions(), IsEmpty());
  EXPECT_EQ(blobs_on_disk(), 0U);
  objects.delete_bucket("parts");
}

TEST_F(ObjectVersionsTest, ASuspendedBucketHasOneNullVersion) {
  enable();
  put("k", "1");
  suspend();
  EXPECT_EQ(put("k", "2"), "null");
  EXPECT_EQ(put("k", "3"), "null");
  EXPECT_THAT(versions(), ElementsAre("k=3*", "k=1"));
  const Removal removal = objects.remove("parts", "k");
  EXPECT_EQ(removal.version_id, "null");
  EXPECT_THAT(versions(), ElementsAre("k!*", "k=1"));
  EXPECT_EQ(put("k", "4"), "null");
  EXPECT_THAT(versions(), ElementsAre("k=4*", "k=1"));
  enable();
  put("k", "5");
  EXPECT_THAT(versions(), ElementsAre("k=5*", "k=4", "k=1"));
  suspend();
  put("k", "6");
  EXPECT_THAT(versions(), ElementsAre("k=6*", "k=5", "k=1"));
}

TEST_F(ObjectVersionsTest, AnOldVersionIsRestoredByCopying) {
  enable();
  const std::string first = put("k", "1", {.tags = {{"line", "7"}}});
  put("k", "2");
  const ObjectInfo copied = objects.copy("parts", "k", "parts", "k", {.from_version = first});
  EXPECT_EQ(copied.tags.at("line"), "7");
  EXPECT_THAT(versions(), ElementsAre("k=1*", "k=2", "k=1"));
  EXPECT_EQ(blobs_on_disk(), 2U);
  const Removal marker = objects.remove("parts", "k");
  EXPECT_THROW((void)objects.copy("parts", "k", "parts", "k", {.from_version = marker.version_id}),
               base::Error);
}

TEST_F(ObjectVersionsTest, ListsVersionsInPagesAlsoWhileTheyAreRemoved) {
  enable();
  for (const char* key : {"a", "b/1", "b/2", "c"}) {
    for (const char* content : {"1", "2", "3"}) put(key, content);
  }
  suspend();
  put("c", "null");
  std::vector<std::string> seen;
  VersionListRequest request{.bucket = "parts", .max_keys = 2};
  while (true) {
    const VersionPage page = objects.list_versions(request);
    for (const ObjectVersion& version : page.versions) {
      seen.push_back(version.object.key);
      objects.remove_version("parts", version.object.key, version.object.version_id);
    }
    if (!page.next_key_marker) break;
    request.key_marker = *page.next_key_marker;
    request.version_marker = page.next_version_marker;
  }
  EXPECT_THAT(seen, ElementsAre("a", "a", "a", "b/1", "b/1", "b/1", "b/2", "b/2", "b/2", "c", "c",
                                "c", "c"));
  EXPECT_EQ(blobs_on_disk(), 0U);
}

TEST_F(ObjectVersionsTest, ListsVersionsUnderCommonPrefixesAndAfterAMarker) {
  enable();
  for (const char* key : {"a", "b/1", "b/2", "c"}) put(key, "x");
  put("a", "y");
  VersionPage page = objects.list_versions({.bucket = "parts", .delimiter = "/", .max_keys = 3});
  EXPECT_EQ(page.versions.size(), 2U);
  EXPECT_THAT(page.common_prefixes, ElementsAre("b/"));
  ASSERT_EQ(page.next_key_marker, "b/");
  EXPECT_THAT(versions({.bucket = "parts", .delimiter = "/", .key_marker = "b/"}),
              ElementsAre("c=x*"));
  EXPECT_THAT(versions({.bucket = "parts", .key_marker = "a"}),
              ElementsAre("b/1=x*", "b/2=x*", "c=x*"));
  EXPECT_THAT(versions({.bucket = "parts", .prefix = "b/"}), ElementsAre("b/1=x*", "b/2=x*"));
  EXPECT_THROW((void)objects.list_versions(
                   {.bucket = "parts", .key_marker = "a", .version_marker = "what?"}),
               base::Error);
}

TEST_F(ObjectVersionsTest, ASweepLeavesWhatAnyVersionNames) {
  enable();
  put("k", "1");
  put("k", "2");
  objects.remove("parts", "k");
  objects.sweep();
  EXPECT_EQ(blobs_on_disk(), 2U);
  std::vector<std::string> named;
  for_each_named_blob(*database, [&](const NamedBlob& blob) { named.push_back(blob.sha256); });
  EXPECT_THAT(named, testing::UnorderedElementsAre(trust::sha256_hex("1"), trust::sha256_hex("2")));
}

TEST_F(ObjectVersionsTest, AQuotaCountsEveryVersion) {
  enable();
  const PutOptions of_device{.quota = Quota{.owner = "line-1", .max_bytes = 10, .max_objects = 9}};
  put("line-1/a", "12345", of_device);
  put("line-1/a", "12345", of_device);
  EXPECT_THROW(put("line-1/a", "1", of_device), base::Error);
  for (const ObjectVersion& version : objects.list_versions({.bucket = "parts"}).versions) {
    objects.remove_version("parts", version.object.key, version.object.version_id);
  }
  put("line-1/a", "1234567890", of_device);
}

TEST_F(ObjectVersionsTest, TagsAreOfOneVersion) {
  enable();
  const std::string first = put("k", "1");
  put("k", "2");
  EXPECT_TRUE(objects.set_tags("parts", "k", first, {{"a", "1"}}));
  EXPECT_TRUE(objects.set_tags("parts", "k", "", {{"b", "2"}}));
  EXPECT_EQ(objects.find_version("parts", "k", first)->object.tags.at("a"), "1");
  EXPECT_EQ(objects.head("parts", "k")->tags.at("b"), "2");
  EXPECT_FALSE(objects.set_tags("parts", "k", "none", {}));
  EXPECT_FALSE(objects.set_tags("parts", "none", "", {}));
}

TEST_F(ObjectVersionsTest, WhatIsOldEnoughExpiresAtMidnight) {
  const base::Timestamp today =
      std::chrono::floor<days>(clock.now()) + days(1);  // and now it is ten o'clock
  clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(today - clock.now()) +
                hours(10));
  put("logs/a", "old");
  put("logs/tagged", "old", {.tags = {{"keep", "no"}}});
  put("logs/large", "a larger text");
  put("other", "old");
  set_rules({{.id = "1", .prefix = "logs/", .tags = {{"keep", "no"}}, .expiration_days = 1},
             {.id = "2", .prefix = "logs/", .size_greater_than = 10, .expiration_days = 2},
             {.id = "3", .is_enabled = false, .expiration_days = 1}});
  clock.advance(hours(24));  // a day old, but the midnight after it has not come
  EXPECT_EQ(objects.expire(100), 0);
  clock.advance(hours(14));
  EXPECT_EQ(objects.expire(100), 1);
  EXPECT_EQ(content_of("logs/tagged"), "(absent)");
  EXPECT_EQ(content_of("logs/large"), "a larger text");
  clock.advance(days(1));
  EXPECT_EQ(objects.expire(100), 1);
  EXPECT_EQ(content_of("logs/large"), "(absent)");
  set_rules({{.id = "1", .expiration_date = today + days(4)}});
  EXPECT_EQ(objects.expire(100), 0);
  clock.advance(days(3));
  EXPECT_EQ(objects.expire(1), 1);  // in steps
  EXPECT_EQ(objects.expire(100), 1);
  EXPECT_EQ(objects.expire(100), 0);
  EXPECT_EQ(blobs_on_disk(), 0U);
}

TEST_F(ObjectVersionsTest, OldVersionsAndLoneMarkersGo) {
  enable();
  for (const char* content : {"1", "2", "3", "4"}) {
    put("k", content);
    clock.advance(days(1));
  }
  set_rules({{.id = "1", .noncurrent_days = 2, .newer_noncurrent = 1}});
  EXPECT_EQ(objects.expire(100), 1);  // "1"; "2" is not old enough, "3" the newest that is kept
  EXPECT_THAT(versions(), ElementsAre("k=4*", "k=3", "k=2"));
  clock.advance(days(5));
  EXPECT_EQ(objects.expire(100), 1);
  EXPECT_THAT(versions(), ElementsAre("k=4*", "k=3"));
  set_rules({{.id = "1", .expiration_days = 1, .noncurrent_days = 1},
             {.id = "2", .removes_lone_markers = true}});
  EXPECT_EQ(objects.expire(100), 2);  // a marker is put, "3" goes
  EXPECT_THAT(versions(), ElementsAre("k!*", "k=4"));
  EXPECT_EQ(objects.expire(100), 0);
  clock.advance(days(2));
  EXPECT_EQ(objects.expire(100), 2);  // "4", and the marker that is alone then
  EXPECT_THAT(versions(), IsEmpty());
  EXPECT_EQ(blobs_on_disk(), 0U);
}

TEST_F(ObjectVersionsTest, UploadsThatNobodyCompletesAreAborted) {
  const std::string upload = objects.create_upload("parts", "logs/big", {});
  objects.put_part(upload, 1, from_text("part"), {});
  const std::string other = objects.create_upload("parts", "other", {});
  set_rules({{.id = "1", .prefix = "logs/", .abort_uploads_days = 3}});
  clock.advance(days(2));
  EXPECT_EQ(objects.expire(100), 0);
  clock.advance(days(2));
  EXPECT_EQ(objects.expire(100), 1);
  EXPECT_FALSE(objects.find_upload(upload));
  EXPECT_TRUE(objects.find_upload(other));
  EXPECT_EQ(blobs_on_disk(), 0U);
}

TEST_F(ObjectVersionsTest, AKillAmidWritesDeletionsAndExpiryLeavesWholeVersions) {
  enable();
  set_rules({{.id = "1", .expiration_days = 3, .noncurrent_days = 1, .newer_noncurrent = 2},
             {.id = "2", .removes_lone_markers = true}});
  for (int round = 0; round < 4; ++round) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto own_database = open_sqlite(directory.path() / "andon.db");
      base::FakeClock own_clock{clock.now()};
      ObjectStore own(*own_database, directory.path() / "objects", own_clock);
      for (int i = 0;; ++i) {
        const std::string key = "k" + std::to_string(i % 3);
        own_clock.advance(hours(8));
        if (i % 5 == 4) {
          own.remove("parts", key);
        } else {
          own.put("parts", key, from_text(std::to_string(i)), {});
        }
        (void)own.expire(2);
        if (write(ends[1], "x", 1) != 1) _exit(1);
      }
    }
    close(ends[1]);
    char done = 0;
    for (int i = 0; i < 11 + 7 * round; ++i) ASSERT_EQ(read(ends[0], &done, 1), 1);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    close(ends[0]);
    ASSERT_TRUE(WIFSIGNALED(status));
    objects.sweep();
    std::map<std::string, int> latest;
    std::set<std::string> contents;
    for (const ObjectVersion& version : objects.list_versions({.bucket = "parts"}).versions) {
      latest[version.object.key] += version.is_latest ? 1 : 0;
      if (version.is_marker) continue;
      contents.insert(content_of(version.object.key, version.object.version_id));
    }
    EXPECT_FALSE(contents.contains("(absent)"));
    EXPECT_EQ(blobs_on_disk(), contents.size());
    for (const auto& [key, count] : latest) EXPECT_EQ(count, 1) << key;
  }
}

TEST_F(ObjectVersionsTest, RulesAreReadAsTheyWereWritten) {
  const std::vector<LifecycleRule> rules{{.id = "all",
                                          .prefix = "a/",
                                          .tags = {{"k", "v\"'"}},
                                          .size_greater_than = 5,
                                          .size_less_than = 9,
                                          .expiration_date = base::from_epoch_millis(86'400'000),
                                          .removes_lone_markers = true,
                                          .noncurrent_days = 3,
                                          .newer_noncurrent = 4,
                                          .abort_uploads_days = 7}};
  EXPECT_EQ(lifecycle_to_text(lifecycle_from_text(lifecycle_to_text(rules))),
            lifecycle_to_text(rules));
}

}  // namespace
}  // namespace andon::store
