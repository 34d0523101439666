// SPDX-License-Identifier: Apache-2.0
// The client against our own server, in plain text.
#include "wire/http/http_client.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/error/error.hpp"
#include "wire/http/http_server.hpp"

namespace andon::wire {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string url_of(const HttpServer& server, const std::string& target) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + target;
}

HttpResponse text(std::string body, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

// Runs `work`, which must throw a base::Error, and gives that.
template <typename Work>
base::Error error_of(Work work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {ErrorCode::internal, ""};
}

// Holds handlers up until it is opened or destroyed.
class Gate {
 public:
  ~Gate() { open(); }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

std::string numbered_bytes(std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += std::to_string(bytes.size()) + ",";
  bytes.resize(size);
  return bytes;
}

TEST(HttpClient, SendsWhatItIsGivenAndReturnsAnyStatus) {
  const HttpServer server({}, [](HttpRequest& request) {
    HttpResponse response =
        text(request.method + " " + request.target + " " +
                 std::string(request.headers.find("X-Field").value_or("-")) + " " +
                 std::string(request.headers.find("content-type").value_or("-")) + " [" +
                 request.body.read() + "]",
             418);
    response.headers.add("X-Answer", "42");
    return response;
  });
  HttpClient client({});
  struct Row {
    std::string method;
    std::string target;
    std::string body;
    std::string expected;
  };
  const Row table[] = {
      {"GET", "/a/../b?x=%2f", "", "GET /a/../b?x=%2f value - []"},
      {"PUT", "/p", "abc", "PUT /p value - [abc]"},
      {"PUT", "/p", "", "PUT /p value - []"},
      {"POST", "/p", "", "POST /p value - []"},
      {"DELETE", "/d", "", "DELETE /d value - []"},
      {"PATCH", "/d", "z", "PATCH /d value - [z]"},
  };
  for (const Row& row : table) {
    OutgoingRequest request;
    request.method = row.method;
    request.url = url_of(server, row.target);
    request.headers = {{"X-Field", "value"}};
    request.body = row.body;
    const IncomingResponse response = client.send(request);
    EXPECT_EQ(response.status, 418);
    EXPECT_EQ(response.headers.find("x-answer"), "42");
    EXPECT_EQ(response.body, row.expected);
  }
  OutgoingRequest head;
  head.method = "HEAD";
  head.url = url_of(server, "/");
  EXPECT_EQ(client.send(head).body, "");
}

TEST(HttpClient, KeepsItsConnectionBetweenRequests) {
  std::set<std::string> peers;
  const HttpServer server({}, [&](HttpRequest& request) {
    peers.insert(request.peer_address);
    return text("");
  });
  HttpClient client({});
  OutgoingRequest request;
  request.url = url_of(server, "/");
  for (int i = 0; i < 3; ++i) (void)client.send(request);
  EXPECT_EQ(peers.size(), 1U);
}

TEST(HttpClient, UploadsAFileAndTellsHowFarItIs) {
  const base::TemporaryDirectory directory;
  const std::string content = numbered_bytes(3'000'000);
  base::write_file_atomically(directory.path() / "file", content);
  bool same = false;
  const HttpServer server({}, [&](HttpRequest& request) {
    same = request.body.read() == content;
    return text("");
  });
  HttpClient client({});
  OutgoingRequest request;
  request.method = "PUT";
  request.url = url_of(server, "/");
  request.body_file = directory.path() / "file";
  std::uint64_t last = 0;
  request.on_progress = [&](std::uint64_t sent, std::uint64_t total) {
    EXPECT_EQ(total, content.size());
    EXPECT_GE(sent, last);
    last = sent;
  };
  EXPECT_EQ(client.send(request).status, 200);
  EXPECT_TRUE(same);
  EXPECT_EQ(last, content.size());
  request.body_file = directory.path() / "absent";
  EXPECT_EQ(error_of([&] { (void)client.send(request); }).code(), ErrorCode::not_found);
}

TEST(HttpClient, GetsTheRefusalOfABodyThatIsTooLarge) {
  HttpServerOptions options;
  options.max_body_bytes = 1000;
  const HttpServer server(options, [](HttpRequest&) { return text(""); });
  HttpClient client({});
  OutgoingRequest request;
  request.method = "PUT";
  request.url = url_of(server, "/");
  request.body = std::string(5'000'000, 'x');
  EXPECT_EQ(client.send(request).status, 413);
  request.headers.set("Expect", "");  // now the body comes at once
  EXPECT_EQ(client.send(request).status, 413);
}

TEST(HttpClient, SaysWhatFailedOnWhatAndWhy) {
  Gate gate;
  const HttpServer server({}, [&](HttpRequest& request) {
    if (request.path == "/slow") gate.pass();
    return text(std::string(2000, 'x'));
  });
  std::uint16_t closed_port = 0;
  {
    const HttpServer gone({}, [](HttpRequest&) { return text(""); });
    closed_port = gone.port();
  }
  HttpClient client({});
  OutgoingRequest request;
  request.url =
      "http://user:password@127.0.0.1:" + std::to_string(closed_port) + "/x?X-Amz-Signature=secret";
  const base::Error refused = error_of([&] { (void)client.send(request); });
  EXPECT_EQ(refused.code(), ErrorCode::unavailable);
  EXPECT_THAT(
      refused.message(),
      AllOf(HasSubstr("cannot GET http://127.0.0.1:" + std::to_string(closed_port) + "/x: "),
            Not(HasSubstr("secret")), Not(HasSubstr("password")),
            HasSubstr("is the server running")));
  request.url = "ftp://127.0.0.1/";
  EXPECT_EQ(error_of([&] { (void)client.send(request); }).code(), ErrorCode::invalid_argument);
  request.url = url_of(server, "/large");
  request.max_response_bytes = 1999;
  EXPECT_EQ(error_of([&] { (void)client.send(request); }).code(), ErrorCode::resource_exhausted);
  request.max_response_bytes = 2000;
  EXPECT_EQ(client.send(request).body.size(), 2000U);
  request.headers = {{"X-Field", "a\r\nHost: b"}};
  EXPECT_EQ(error_of([&] { (void)client.send(request); }).code(), ErrorCode::invalid_argument);
  request.headers = {};
  request.url = url_of(server, "/slow");
  request.timeout = 50ms;
  EXPECT_EQ(error_of([&] { (void)client.send(request); }).code(), ErrorCode::deadline_exceeded);
  HttpClient impatient({.stall_timeout = 50ms});
  request.timeout = 60s;
  EXPECT_EQ(error_of([&] { (void)impatient.send(request); }).code(), ErrorCode::deadline_exceeded);
  const std::atomic<bool> cancelled = true;
  request.cancelled = &cancelled;
  EXPECT_EQ(error_of([&] { (void)client.send(request); }).code(), ErrorCode::cancelled);
  gate.open();
}

// Serves one file with Range, as S3 does; each part of that can be made to misbehave.
class FileServer {
 public:
  explicit FileServer(std::string content) : content_(std::move(content)) {
    base::write_file_atomically(path_, content_);
  }

  [[nodiscard]] std::string url() const { return url_of(server_, "/file?token=secret"); }
  std::vector<std::string> ranges;
  bool ignores_range = false;
  std::uint64_t cut_after = 0;  // the next response promises all and ends after so many bytes

 private:
  HttpResponse answer(const HttpRequest& request) {
    const std::string range(request.headers.find("Range").value_or(""));
    ranges.push_back(range);
    HttpResponse response;
    std::uint64_t first = 0;
    if (!range.empty() && !ignores_range) {
      first = std::stoull(range.substr(6));
      response.status = first < content_.size() ? 206 : 416;
      response.headers.add("Content-Range", first < content_.size()
                                                ? "bytes " + std::to_string(first) + "-" +
                                                      std::to_string(content_.size() - 1) + "/" +
                                                      std::to_string(content_.size())
                                                : "bytes */" + std::to_string(content_.size()));
      if (response.status == 416) return response;
    }
    FileBody body{base::open_file(path_, O_RDONLY), first, content_.size() - first};
    if (cut_after > 0) {
      base::write_file_atomically(path_, content_.substr(0, first + cut_after));
      body.file = base::open_file(path_, O_RDONLY);
      base::write_file_atomically(path_, content_);
      cut_after = 0;
    }
    response.body = std::move(body);
    return response;
  }

  base::TemporaryDirectory directory_;
  base::fs::path path_ = directory_.path() / "file";
  std::string content_;
  HttpServer server_{{}, [this](HttpRequest& request) { return answer(request); }};
};

class Download : public testing::Test {
 protected:
  DownloadRequest request() {
    DownloadRequest download;
    download.url = server.url();
    download.file = file;
    download.on_progress = [this](const DownloadProgress& now) { progress = now; };
    return download;
  }

  const std::string content = numbered_bytes(1'000'000);
  FileServer server{content};
  base::TemporaryDirectory directory;
  base::fs::path file = directory.path() / "download";
  HttpClient client{{}};
  DownloadProgress progress;
};

TEST_F(Download, WritesTheWholeFileAndTellsHowFarItIs) {
  client.download(request());
  EXPECT_EQ(base::read_file(file), content);
  EXPECT_EQ(progress.received, content.size());
  EXPECT_EQ(progress.total, content.size());
  EXPECT_THAT(server.ranges, testing::ElementsAre(""));
}

TEST_F(Download, GoesOnWhereACutConnectionLeftOff) {
  server.cut_after = 600'000;
  const base::Error cut = error_of([&] { client.download(request()); });
  EXPECT_EQ(cut.code(), ErrorCode::unavailable);
  EXPECT_THAT(cut.message(), Not(HasSubstr("secret")));
  const std::uint64_t kept = base::fs::file_size(file);
  EXPECT_GT(kept, 0U);
  EXPECT_LE(kept, 600'000U);
  client.download(request());
  EXPECT_EQ(base::read_file(file), content);
  EXPECT_THAT(server.ranges, testing::ElementsAre("", "bytes=" + std::to_string(kept) + "-"));
}

TEST_F(Download, StartsAnewWhereTheServerIgnoresRange) {
  base::write_file_atomically(file, "other bytes");
  server.ignores_range = true;
  client.download(request());
  EXPECT_EQ(base::read_file(file), content);
}

TEST_F(Download, OfACompleteFileIsDoneAtOnce) {
  base::write_file_atomically(file, content);
  client.download(request());
  EXPECT_EQ(base::read_file(file), content);
}

TEST_F(Download, OfAFileThatIsLongerThanTheServersStartsAnew) {
  base::write_file_atomically(file, content + "more");
  client.download(request());
  EXPECT_EQ(base::read_file(file), content);
  EXPECT_THAT(server.ranges, testing::ElementsAre("bytes=1000004-", ""));
}

TEST_F(Download, KeepsNothingOfAFileThatIsLargerThanAllowed) {
  DownloadRequest limited = request();
  limited.max_bytes = 999'999;
  EXPECT_EQ(error_of([&] { client.download(limited); }).code(), ErrorCode::data_corrupted);
  EXPECT_EQ(base::fs::file_size(file), 0U);
  limited.max_bytes = 1'000'000;
  client.download(limited);
  EXPECT_EQ(base::read_file(file), content);
}

TEST_F(Download, KeepsToItsCapAndCanBeCancelledAndThenResumed) {
  std::atomic<bool> cancelled = false;
  DownloadRequest doomed = request();
  doomed.bytes_per_second = 100'000;
  doomed.cancelled = &cancelled;
  doomed.on_progress = [&](const DownloadProgress& now) {
    if (now.received > 0) cancelled = true;
  };
  EXPECT_EQ(error_of([&] { client.download(doomed); }).code(), ErrorCode::cancelled);
  const auto kept = base::fs::file_size(file);
  EXPECT_GT(kept, 0U);
  EXPECT_LT(kept, content.size());
  client.download(request());
  EXPECT_EQ(base::read_file(file), content);
}

TEST(HttpClient, NamesTheStatusThatEndedADownload) {
  const HttpServer server({}, [](HttpRequest& request) {
    return text("no such file\n", std::stoi(request.path.substr(1)));
  });
  const base::TemporaryDirectory directory;
  HttpClient client({});
  const std::pair<int, ErrorCode> table[] = {{404, ErrorCode::not_found},
                                             {403, ErrorCode::permission_denied},
                                             {400, ErrorCode::failed_precondition},
                                             {503, ErrorCode::unavailable},
                                             {302, ErrorCode::unavailable}};
  for (const auto& [status, code] : table) {
    DownloadRequest request;
    request.url = url_of(server, "/" + std::to_string(status) + "?token=secret");
    request.file = directory.path() / "file";
    const base::Error error = error_of([&] { client.download(request); });
    EXPECT_EQ(error.code(), code) << status;
    EXPECT_THAT(error.message(), AllOf(HasSubstr(std::to_string(status)), HasSubstr("no such file"),
                                       Not(HasSubstr("secret"))));
    EXPECT_EQ(base::fs::file_size(request.file), 0U);
  }
}

}  // namespace
}  // namespace andon::wire
