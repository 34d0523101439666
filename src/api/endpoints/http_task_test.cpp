// SPDX-License-Identifier: Apache-2.0
// Calls against a server of our own, in plain text.
#include "api/endpoints/http_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "control/testing/control_fixture.hpp"
#include "fleet/names/arn.hpp"
#include "wire/http/http_server.hpp"

namespace andon::api {
namespace {

using namespace std::chrono_literals;
namespace json = base::json;
using testing::HasSubstr;

class HttpTaskTest : public testing::Test, public control::ControlFixture {
 protected:
  ~HttpTaskTest() override { let_go(); }

  void let_go() {
    const std::lock_guard lock(mutex_);
    may_answer_ = true;
    changed_.notify_all();
  }
  void wait_for_requests(int count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, 20s, [&] { return requests_ >= count; }));
  }
  HttpTask::Options options(std::chrono::milliseconds deadline = 60s) const {
    return {.allowed = AllowedHosts({url()}),
            .ca_file = {},
            .threads = 2,
            .queued = 3,
            .deadline = deadline};
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

  struct Outcome {
    std::string error;
    std::string text;  // the result, or the cause
  };
  workflow::TaskRequest request(std::int64_t number, const std::string& path) {
    workflow::TaskRequest task;
    task.execution = 1;
    task.number = number;
    task.region = "r";
    task.resource = asl::Resource::parse("arn:aws:states:::http:invoke");
    task.parameters = asl::make_data(json::object{
        {"ApiEndpoint", url() + path},
        {"Method", "GET"},
        {"Authentication", {{"ConnectionArn", fleet::Arns().connection("c", connection_.id)}}}});
    return task;
  }
  static std::future<Outcome> begin(HttpTask& task, const workflow::TaskRequest& request) {
    const auto outcome = std::make_shared<std::promise<Outcome>>();
    task.start(
        request,
        workflow::TaskReply([outcome](workflow::TaskReply::Kind kind, const asl::Data& output,
                                      const std::string& error, const std::string& cause) {
          const bool is_success = kind == workflow::TaskReply::Kind::succeeded;
          outcome->set_value({error, is_success ? base::to_text(*output) : cause});
        }));
    return outcome->get_future();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool may_answer_ = false;
  int requests_ = 0;
  wire::HttpServer server_{{.address = "127.0.0.1", .port = 0}, [this](wire::HttpRequest& request) {
                             std::unique_lock lock(mutex_);
                             ++requests_;
                             changed_.notify_all();
                             if (request.path == "/slow") {
                               changed_.wait(lock, [this] { return may_answer_; });
                             }
                             wire::HttpResponse response;
                             response.body = request.path;
                             return response;
                           }};
  trust::SealingKey key_{trust::SealingKey::make()};
  control::Connections connections_{database(), key_, clock()};
  control::Connection connection_ = connections_.create(
      {.name = "c",
       .parameters = {{"BasicAuthParameters", {{"Username", "u"}, {"Password", "password"}}}}});
};

TEST_F(HttpTaskTest, ACallGivesItsResultAndOnlyThisResourceIsIts) {
  HttpTask task(connections_, options());
  EXPECT_THAT(begin(task, request(1, "/quick")).get().text,
              HasSubstr(R"("ResponseBody":"/quick")"));
  EXPECT_TRUE(task.has(asl::Resource::parse("arn:aws:states:::http:invoke")));
  for (const char* other : {"arn:aws:states:::http:invoke.waitForTaskToken",
                            "arn:aws:states:::http:invoke.sync", "arn:aws:states:::http:fetch"}) {
    EXPECT_FALSE(task.has(asl::Resource::parse(other))) << other;
  }
}

TEST_F(HttpTaskTest, AnEndpointThatDoesNotAnswerIsASocketErrorInTime) {
  HttpTask task(connections_, options(300ms));
  EXPECT_EQ(begin(task, request(1, "/slow")).get().error, "States.Http.Socket");
}

TEST_F(HttpTaskTest, ACallIsBrokenOffWithItsTaskAndWithTheServer) {
  {
    HttpTask task(connections_, options());
    auto first = begin(task, request(1, "/slow"));
    auto second = begin(task, request(2, "/slow"));
    wait_for_requests(2);
    task.cancel(request(1, "/slow"));
    EXPECT_EQ(first.get().error, "States.Http.Socket");
    EXPECT_EQ(second.wait_for(0s), std::future_status::timeout);
  }
  // Gone without waiting for what /slow would have said.
  const std::lock_guard lock(mutex_);
  EXPECT_FALSE(may_answer_);
}

TEST_F(HttpTaskTest, SlowEndpointsLeaveOtherCallsTheirNamedError) {
  HttpTask task(connections_, options());
  std::vector<std::future<Outcome>> calls;
  for (int i = 1; i <= 3; ++i) calls.push_back(begin(task, request(i, "/slow")));
  try {
    (void)begin(task, request(4, "/quick"));
    ADD_FAILURE() << "it was taken";
  } catch (const workflow::TaskFailure& failure) {
    EXPECT_EQ(failure.error(), "States.Http.Socket");
    EXPECT_THAT(failure.cause(), HasSubstr("More than 3 calls wait"));
  }
  let_go();
  for (auto& call : calls) EXPECT_EQ(call.get().error, "");
}

TEST_F(HttpTaskTest, AConnectionThatIsGoneIsNamed) {
  HttpTask task(connections_, options());
  connections_.remove("c");
  try {
    (void)begin(task, request(1, "/quick"));
    ADD_FAILURE() << "it was taken";
  } catch (const workflow::TaskFailure& failure) {
    EXPECT_EQ(failure.error(), "Events.ConnectionResource.ResourceNotFound");
  }
}

}  // namespace
}  // namespace andon::api
