// SPDX-License-Identifier: Apache-2.0
#include "store/objects/object_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "trust/digests/digest.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;
using testing::ElementsAre;

ByteSource from_text(std::string text) {
  return [text = std::move(text), at = std::size_t{0}](char* buffer, std::size_t size) mutable {
    const std::size_t count = text.copy(buffer, size, at);
    at += count;
    return count;
  };
}

class ObjectStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    objects.create_bucket("parts");
    objects.create_bucket("models");
  }

  ObjectInfo put(const std::string& key, const std::string& content,
                 const PutOptions& options = {}) {
    return objects.put("parts", key, from_text(content), options);
  }
  [[nodiscard]] std::string content_of(const std::string& key) const {
    const auto object = objects.open("parts", key);
    if (!object) return "(absent)";
    return base::read_file("/proc/self/fd/" + std::to_string(object->file.get()));
  }
  [[nodiscard]] std::size_t blobs_on_disk() const {
    std::size_t count = 0;
    for (const auto& entry : base::fs::recursive_directory_iterator(directory.path() / "objects")) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }
  [[nodiscard]] std::vector<std::string> keys(const ListPage& page) const {
    std::vector<std::string> names;
    for (const ObjectInfo& object : page.objects) names.push_back(object.key);
    return names;
  }
  template <typename Work>
  static ErrorCode code_of(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "no error was thrown";
    return ErrorCode::internal;
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<Database> database = open_sqlite(directory.path() / "andon.db");
  ObjectStore objects{*database, directory.path() / "objects", clock};
};

TEST_F(ObjectStoreTest, GivesBackWhatWasPut) {
  const ObjectInfo put_info = put("a/b.txt", "hello",
                                  {.content_type = "text/plain",
                                   .metadata = {{"line", "7"}},
                                   .headers = {{"cache-control", "no-store"}}});
  EXPECT_EQ(put_info.etag, "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(put_info.sha256, trust::sha256_hex("hello"));
  const auto object = objects.head("parts", "a/b.txt");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->size, 5U);
  EXPECT_EQ(object->content_type, "text/plain");
  EXPECT_EQ(object->metadata.at("line"), "7");
  EXPECT_EQ(object->headers.at("cache-control"), "no-store");
  EXPECT_EQ(object->last_modified, clock.now());
  EXPECT_EQ(content_of("a/b.txt"), "hello");
  EXPECT_EQ(objects.head("parts", "a"), std::nullopt);
}

TEST_F(ObjectStoreTest, StoresEqualContentOnceAndDropsItWithItsLastName) {
  put("one", "same");
  put("two", "same");
  EXPECT_EQ(blobs_on_disk(), 1U);
  objects.remove("parts", "one");
  EXPECT_EQ(content_of("two"), "same");
  put("two", "other");
  EXPECT_EQ(blobs_on_disk(), 1U);
  EXPECT_FALSE(objects.open_blob(trust::sha256_hex("same")));
  EXPECT_TRUE(objects.open_blob(trust::sha256_hex("other")));
  EXPECT_FALSE(objects.open_blob("../../andon.db"));
  objects.remove("parts", "two");
  objects.remove("parts", "two");
  EXPECT_EQ(blobs_on_disk(), 0U);
}

TEST_F(ObjectStoreTest, KeepsACopyWhenItsSourceIsOverwritten) {
  put("model.onnx", "version 1", {.metadata = {{"a", "b"}}});
  const ObjectInfo copied = objects.copy("parts", "model.onnx", "models", "pinned");
  EXPECT_EQ(copied.metadata.at("a"), "b");
  put("model.onnx", "version 2");
  const auto pinned = objects.open("models", "pinned");
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->info.sha256, trust::sha256_hex("version 1"));
  const CopyOptions without_metadata{.change = [](ObjectInfo& copy) { copy.metadata.clear(); }};
  EXPECT_TRUE(
      objects.copy("models", "pinned", "models", "pinned", without_metadata).metadata.empty());
  EXPECT_EQ(code_of([&] { objects.copy("parts", "none", "models", "x"); }), ErrorCode::not_found);
}

TEST_F(ObjectStoreTest, RefusedContentLeavesTheOldObject) {
  put("key", "old");
  EXPECT_THROW(put("key", "new",
                   {.check =
                        [](const ContentDigests& digests) {
                          EXPECT_EQ(digests.size, 3U);
                          throw std::runtime_error("bad digest");
                        }}),
               std::runtime_error);
  EXPECT_THROW(objects.put("parts", "key",
                           [](char*, std::size_t) -> std::size_t {
                             throw std::runtime_error("connection lost");
                           },
                           {}),
               std::runtime_error);
  EXPECT_THROW(put("key", "new",
                   {.check_replaced =
                        [](const std::optional<ObjectInfo>& replaced) {
                          EXPECT_EQ(replaced->size, 3U);
                          throw std::runtime_error("it is there");
                        }}),
               std::runtime_error);
  EXPECT_EQ(content_of("key"), "old");
  EXPECT_EQ(blobs_on_disk(), 1U);
}

TEST_F(ObjectStoreTest, ChecksNames) {
  for (const char* name : {"ab", "UPPER", "-dash", "dot.", "a..b", "a/b", "under_score", ""}) {
    EXPECT_EQ(code_of([&] { objects.create_bucket(name); }), ErrorCode::invalid_argument) << name;
  }
  EXPECT_EQ(code_of([&] { objects.create_bucket("parts"); }), ErrorCode::already_exists);
  EXPECT_EQ(code_of([&] { objects.put("none", "k", from_text(""), {}); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { (void)objects.head("none", "k"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { put(std::string(1025, 'k'), ""); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { put("", ""); }), ErrorCode::invalid_argument);
  put(std::string(1024, 'k'), "");
}

TEST_F(ObjectStoreTest, DeletesOnlyEmptyBuckets) {
  put("key", "x");
  EXPECT_EQ(code_of([&] { objects.delete_bucket("parts"); }), ErrorCode::failed_precondition);
  objects.remove("parts", "key");
  const std::string upload = objects.create_upload("parts", "big", {});
  objects.put_part(upload, 1, from_text("part"), {});
  objects.delete_bucket("parts");
  EXPECT_FALSE(objects.has_bucket("parts"));
  EXPECT_EQ(blobs_on_disk(), 0U);
  EXPECT_EQ(code_of([&] { objects.delete_bucket("parts"); }), ErrorCode::not_found);
}

TEST_F(ObjectStoreTest, ListsInPagesWithCommonPrefixes) {
  for (const char* key : {"a", "b/1", "b/2", "b/c/3", "bb", "c/1", "d\xff", "d\xff/x"})
    put(key, "");
  ListRequest request{.bucket = "parts", .delimiter = "/", .max_keys = 2};
  ListPage page = objects.list(request);
  EXPECT_THAT(keys(page), ElementsAre("a"));
  EXPECT_THAT(page.common_prefixes, ElementsAre("b/"));
  ASSERT_EQ(page.next_start_after, "b/");
  request.start_after = *page.next_start_after;
  page = objects.list(request);
  EXPECT_THAT(keys(page), ElementsAre("bb"));
  EXPECT_THAT(page.common_prefixes, ElementsAre("c/"));
  request.start_after = *page.next_start_after;
  page = objects.list(request);
  EXPECT_THAT(keys(page), ElementsAre("d\xff"));
  EXPECT_THAT(page.common_prefixes, ElementsAre("d\xff/"));
  EXPECT_EQ(page.next_start_after, std::nullopt);

  page = objects.list({.bucket = "parts", .prefix = "b/"});
  EXPECT_THAT(keys(page), ElementsAre("b/1", "b/2", "b/c/3"));
  page = objects.list({.bucket = "parts", .prefix = "b/", .delimiter = "/", .start_after = "b/1"});
  EXPECT_THAT(keys(page), ElementsAre("b/2"));
  EXPECT_THAT(page.common_prefixes, ElementsAre("b/c/"));
  EXPECT_TRUE(objects.list({.bucket = "parts", .max_keys = 0}).objects.empty());
}

TEST_F(ObjectStoreTest, ListsMoreKeysThanOneBatch) {
  for (int i = 0; i < 240; ++i) put("k" + std::to_string(1000 + i) + (i % 3 == 0 ? "/x" : ""), "");
  const ListPage page = objects.list({.bucket = "parts", .delimiter = "/"});
  EXPECT_EQ(page.objects.size(), 160U);
  EXPECT_EQ(page.common_prefixes.size(), 80U);
  std::size_t seen = 0;
  ListRequest request{.bucket = "parts", .max_keys = 7};
  while (true) {
    const ListPage part = objects.list(request);
    seen += part.objects.size();
    if (!part.next_start_after) break;
    request.start_after = *part.next_start_after;
  }
  EXPECT_EQ(seen, 240U);
}

TEST_F(ObjectStoreTest, PutsTheChosenPartsOfAnUploadTogether) {
  const std::string id =
      objects.create_upload("parts", "big", {.content_type = "a/b", .metadata = {{"k", "v"}}});
  const std::string five(kMinimumPartBytes, 'x');
  objects.put_part(id, 1, from_text("replaced"), {});
  const UploadedPart first = objects.put_part(id, 1, from_text(five), {});
  const UploadedPart third = objects.put_part(id, 3, from_text("end"), {});
  objects.put_part(id, 2, from_text("not chosen"), {});
  EXPECT_EQ(objects.list_parts(id).size(), 3U);
  EXPECT_EQ(objects.list_uploads({.bucket = "parts", .prefix = "b"}).size(), 1U);
  EXPECT_EQ(objects.list_uploads({.bucket = "parts", .prefix = "c"}).size(), 0U);
  EXPECT_EQ(objects.head("parts", "big"), std::nullopt);

  const ObjectInfo made = objects.complete_upload(id, {first, third});
  EXPECT_EQ(made.size, kMinimumPartBytes + 3);
  EXPECT_THAT(made.etag, testing::EndsWith("-2"));
  EXPECT_EQ(made.metadata.at("k"), "v");
  EXPECT_EQ(content_of("big"), five + "end");
  EXPECT_EQ(blobs_on_disk(), 1U);
  EXPECT_TRUE(objects.list_uploads({.bucket = "parts"}).empty());

  EXPECT_EQ(objects.complete_upload(id, {first, third}).etag, made.etag);
  EXPECT_EQ(code_of([&] { objects.complete_upload(id, {first}); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { objects.put_part(id, 4, from_text("late"), {}); }), ErrorCode::not_found);
}

TEST_F(ObjectStoreTest, RefusesAnUploadWhosePartsDoNotFit) {
  const std::string id = objects.create_upload("parts", "big", {});
  const UploadedPart first = objects.put_part(id, 1, from_text("small"), {});
  const UploadedPart second = objects.put_part(id, 2, from_text("end"), {});
  const auto complete = [&](const std::vector<UploadedPart>& parts) {
    return code_of([&] { objects.complete_upload(id, parts); });
  };
  EXPECT_EQ(complete({}), ErrorCode::invalid_argument);
  EXPECT_EQ(complete({first, second}), ErrorCode::invalid_argument);
  EXPECT_EQ(complete({second, first}), ErrorCode::invalid_argument);
  EXPECT_EQ(complete({{.number = 1, .etag = second.etag}}), ErrorCode::invalid_argument);
  EXPECT_EQ(complete({{.number = 9, .etag = first.etag}}), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { objects.put_part(id, 10'001, from_text(""), {}); }),
            ErrorCode::invalid_argument);
  objects.abort_upload(id);
  EXPECT_EQ(blobs_on_disk(), 0U);
  EXPECT_EQ(code_of([&] { objects.abort_upload(id); }), ErrorCode::not_found);
}

TEST_F(ObjectStoreTest, SurvivesManyWritersOfTheSameContent) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 15; ++i) {
        const std::string key = "key" + std::to_string(thread);
        put(key, i % 2 == 0 ? "even" : "odd");
        EXPECT_EQ(content_of(key), i % 2 == 0 ? "even" : "odd");
        if (i % 3 == 0) objects.remove("parts", key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int thread = 0; thread < 4; ++thread)
    objects.remove("parts", "key" + std::to_string(thread));
  EXPECT_EQ(blobs_on_disk(), 0U);
}

TEST_F(ObjectStoreTest, SweepsWhatAKilledWriterLeft) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto own_database = open_sqlite(directory.path() / "andon.db");
    ObjectStore own(*own_database, directory.path() / "objects", clock);
    own.put("parts", "half",
            [](char* buffer, std::size_t) -> std::size_t {
              static int calls = 0;
              if (++calls == 3) raise(SIGKILL);
              buffer[0] = 'x';
              return 1;
            },
            {});
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  put("whole", "content");
  const base::fs::path orphan =
      directory.path() / "objects" / "sha256" / "ab" / ("ab" + std::string(62, '0'));
  base::make_directories(orphan.parent_path());
  base::write_file_atomically(orphan, "between file and index");
  const std::string old_upload = objects.create_upload("parts", "old", {});
  objects.put_part(old_upload, 1, from_text("old part"), {});
  clock.advance(std::chrono::hours(25));
  const std::string young_upload = objects.create_upload("parts", "young", {});
  EXPECT_EQ(blobs_on_disk(), 4U);

  EXPECT_EQ(objects.remove_old_uploads(std::chrono::hours(24), 100), 1);
  EXPECT_EQ(objects.remove_old_uploads(std::chrono::hours(24), 100), 0);
  objects.sweep();
  EXPECT_EQ(blobs_on_disk(), 1U);
  EXPECT_EQ(content_of("whole"), "content");
  EXPECT_EQ(objects.find_upload(old_upload), std::nullopt);
  EXPECT_TRUE(objects.find_upload(young_upload));
  EXPECT_EQ(objects.head("parts", "half"), std::nullopt);
}

TEST_F(ObjectStoreTest, SaysWhenContentIsGoneFromDisk) {
  const ObjectInfo info = put("key", "content");
  base::fs::remove(directory.path() / "objects" / "sha256" / info.sha256.substr(0, 2) /
                   info.sha256);
  EXPECT_EQ(code_of([&] { (void)objects.open("parts", "key"); }), ErrorCode::data_corrupted);
  put("key", "content");
  EXPECT_EQ(content_of("key"), "content");
}

}  // namespace
}  // namespace andon::store
