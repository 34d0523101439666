// SPDX-License-Identifier: Apache-2.0
#include "inspect/uploads/bucket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "inspect/uploads/uploader.hpp"
#include "trust/digests/digest.hpp"
#include "wire/http/http_server.hpp"

namespace andon::inspect {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

// The agent's credentials endpoint and the S3 API in one server.
class FakeCloud {
 public:
  explicit FakeCloud(const base::Clock& clock)
      : clock_(clock),
        server_({}, [this](wire::HttpRequest& request) { return answer(request); }) {}

  [[nodiscard]] S3Options options() const {
    const std::string url = "http://127.0.0.1:" + std::to_string(server_.port());
    return {url, "us-east-1", "", url + "/credentials", "token-of-the-component"};
  }

  std::map<std::string, std::string> objects() {
    const std::lock_guard lock(mutex_);
    return objects_;
  }
  int credential_requests() {
    const std::lock_guard lock(mutex_);
    return credential_requests_;
  }
  void refuse_puts(int count) {
    const std::lock_guard lock(mutex_);
    puts_to_refuse_ = count;
  }

 private:
  wire::HttpResponse answer(wire::HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    if (request.path == "/credentials") return give_credentials(request);
    const auto claim = wire::read_claim(request);
    if (!claim || claim->session_token != "session" ||
        wire::verify(request, *claim, "secret", clock_.now()) != wire::SignatureVerdict::valid ||
        claim->payload_sha256 != trust::sha256_hex(request.body.read())) {
      return {403, {}, "SignatureDoesNotMatch"};
    }
    if (puts_to_refuse_ > 0) {
      --puts_to_refuse_;
      return {503, {}, "SlowDown"};
    }
    objects_[request.path] = request.body.read();
    return {};
  }

  wire::HttpResponse give_credentials(const wire::HttpRequest& request) {
    ++credential_requests_;
    if (request.headers.find("authorization") != "token-of-the-component") return {404, {}, ""};
    return {200,
            {},
            R"({"AccessKeyId": "ASIA1", "SecretAccessKey": "secret", "Token": "session",)"
            R"( "Expiration": ")" +
                base::to_iso8601(clock_.now() + 1h) + "\"}"};
  }

  const base::Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  int credential_requests_ = 0;
  int puts_to_refuse_ = 0;
  wire::HttpServer server_;
};

TEST(S3Bucket, PutsSignedObjectsAndKeepsItsCredentialsUntilTheyEnd) {
  base::FakeClock clock(base::from_epoch_millis(1'795'341'600'000));
  FakeCloud cloud(clock);
  S3Bucket bucket(cloud.options(), clock);
  bucket.put("uploads", "thing/2026/11/22/a b+ä.jpg", "picture", "image/jpeg");
  bucket.put("uploads", "thing/x.json", "{}", "application/json");
  EXPECT_EQ(cloud.credential_requests(), 1);
  EXPECT_EQ(cloud.objects().at("/uploads/thing/2026/11/22/a%20b%2B%C3%A4.jpg"), "picture");
  EXPECT_EQ(cloud.objects().at("/uploads/thing/x.json"), "{}");
  clock.advance(56min);
  bucket.put("uploads", "later", "", "image/jpeg");
  EXPECT_EQ(cloud.credential_requests(), 2);
}

TEST(S3Bucket, SaysWhatWasRefusedAndWhere) {
  const base::FakeClock clock(base::from_epoch_millis(1'795'341'600'000));
  FakeCloud cloud(clock);
  cloud.refuse_puts(1);
  S3Bucket bucket(cloud.options(), clock);
  try {
    bucket.put("uploads", "a.jpg", "x", "image/jpeg");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("cannot upload uploads/a.jpg: HTTP 503"));
    EXPECT_THAT(error.message(), HasSubstr("SlowDown"));
  }
  S3Options stranger = cloud.options();
  stranger.authorization_token = "another";
  S3Bucket refused(stranger, clock);
  EXPECT_THROW(refused.put("uploads", "a.jpg", "x", "image/jpeg"), base::Error);
}

Uploader::Parts parts(const S3Options& options, const base::Clock& clock,
                      const std::function<std::chrono::milliseconds()>& wait) {
  return {std::make_unique<S3Bucket>(options, clock), [] { return std::string("andon-uploads"); },
          [wait](std::uint64_t) { return wait(); }};
}

TEST(Uploader, SendsNothingBeforeTheLinkIsItsAndThenWhatIsInTheSpoolByThen) {
  const base::FakeClock clock(base::from_epoch_millis(1'795'341'600'000));
  const base::TemporaryDirectory folder;
  FakeCloud cloud(clock);
  UploadSpool spool(folder.path());
  (void)spool.add({"a", "thing/a.jpg", "{}"}, "picture a", clock.now());
  std::atomic<int> asks{0};
  std::atomic<bool> is_open{false};
  const Uploader uploader(spool, parts(cloud.options(), clock, [&] {
                            ++asks;
                            return is_open ? 0ms : 1ms;
                          }));
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  const auto goes_on = [&] { return std::chrono::steady_clock::now() < give_up; };
  while (asks < 3 && goes_on()) std::this_thread::yield();
  EXPECT_TRUE(cloud.objects().empty());
  EXPECT_EQ(spool.counts().waiting, 1U);
  is_open = true;
  while (spool.counts().waiting > 0 && goes_on()) std::this_thread::yield();
  EXPECT_EQ(cloud.objects().size(), 2U);
}

TEST(Uploader, EmptiesTheSpoolAndTriesAgainWhatWasRefused) {
  const base::FakeClock clock(base::from_epoch_millis(1'795'341'600'000));
  const base::TemporaryDirectory folder;
  FakeCloud cloud(clock);
  cloud.refuse_puts(3);
  UploadSpool spool(folder.path());
  (void)spool.add({"a", "thing/a.jpg", R"({"a":1})"}, "\xFF\xD8picture a", clock.now());
  (void)spool.add({"b", "thing/b.jpg", R"({"b":1})"}, "picture b", clock.now());
  {
    const Uploader uploader(spool, parts(cloud.options(), clock, [] { return 0ms; }), {1ms, 4ms});
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (spool.counts().waiting > 0 && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
    }
  }
  const auto objects = cloud.objects();
  ASSERT_EQ(objects.size(), 4U);
  EXPECT_EQ(objects.at("/andon-uploads/thing/a.jpg"), "\xFF\xD8picture a");
  EXPECT_EQ(objects.at("/andon-uploads/thing/a.jpg.json"), R"({"a":1})");
  EXPECT_EQ(objects.at("/andon-uploads/thing/b.jpg"), "picture b");
}

TEST(Uploader, LeavesInTheSpoolWhatItCannotUploadWhenItEnds) {
  const base::SystemClock clock;
  const base::TemporaryDirectory folder;
  UploadSpool spool(folder.path());
  (void)spool.add({"a", "a.jpg", "{}"}, "x", clock.now());
  S3Options nowhere{"http://127.0.0.1:1", "us-east-1", "", "http://127.0.0.1:1/", ""};
  {
    const Uploader uploader(spool, parts(nowhere, clock, [] { return 0ms; }));
  }
  EXPECT_EQ(UploadSpool(folder.path()).counts().waiting, 1U);
}

}  // namespace
}  // namespace andon::inspect
